# make mutants: lines of core, service, projector and shm that are changed by lot (t/mutants/run), and whether the tests see it. COUNT and
# SEED; QUICK=yes: by the unit tests alone, some seconds for each mutant; NEAR=yes: and by those of the backends and the service tests
# that reach its file, minutes; else a survivor takes a quarter of an hour more. AGAIN=FILE: those that survived an earlier run.

.PHONY: mutants
mutants: deps-test deps-mutants ## change lines of src/ by lot, and see whether the tests fail (COUNT=40 SEED=... QUICK=yes NEAR=yes; hours; not in make test)
	@$(MAKE) --no-print-directory unit module lambda-bootstrap $(if $(QUICK),,$(BACKEND_TESTS))
	@OUT='$(OUT)' APXS='$(APXS)' MUTATE="$$(bash -c '. build/stack/config.bash && echo "$${artifact_dir[universalmutator]}/bin/mutate"')" \
	    t/mutants/run $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED)) $(if $(QUICK),--quick) $(if $(NEAR),--near) $(if $(AGAIN),--again '$(AGAIN)') $(NAMES)
