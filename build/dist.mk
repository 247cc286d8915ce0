# make dist: the sources as a tarball.

DIST = $(OUT)/dist/mod_ratings-$(VERSION).tar.gz

.PHONY: dist
dist: ## the sources as a tarball that builds, tests and packages without git
	@build/dist $(DIST)
