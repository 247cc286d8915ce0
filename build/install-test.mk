# make test-install, make test-image: what others do with what is built here, in systems of their own. Both need root,
# debootstrap and Debian's mirrors, and take minutes: they are no part of make test.

.PHONY: test-install test-image
test-install: deps-run ## follow docs/install.md word for word beside a site, Debian 12 and 13 (root; SUITES="trixie")
	@$(MAKE) --no-print-directory lambda-bootstrap
	@OUT='$(OUT)' APXS='$(APXS)' t/install/run $(SUITES)

test-image: deps-run ## follow the Dockerfiles without an engine, and run what comes of them (root; BUILDER=buildah)
	@$(MAKE) --no-print-directory lambda-bootstrap
	@OUT='$(OUT)' APXS='$(APXS)' BUILDER='$(BUILDER)' t/image/run
