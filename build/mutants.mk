# make mutants: lines of core, service, projector and shm that are changed by lot (t/mutants/run), and whether the tests see it. COUNT and
# SEED; QUICK=yes: by the unit tests alone, half a minute for each mutant. With the service tests a survivor takes a quarter of an hour.

.PHONY: mutants
mutants: deps-test deps-mutants ## change lines of src/ by lot, and see whether the tests fail (COUNT=40 SEED=... QUICK=yes; hours; not in make test)
	@$(MAKE) --no-print-directory unit module lambda-bootstrap
	@OUT='$(OUT)' APXS='$(APXS)' MUTATE="$$(bash -c '. build/stack/config.bash && echo "$${artifact_dir[universalmutator]}/bin/mutate"')" \
	    t/mutants/run $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED)) $(if $(QUICK),--quick) $(NAMES)
