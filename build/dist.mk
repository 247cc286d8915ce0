# make dist: the sources as a tarball. make package: Debian packages of it (debian/), whose maintainer DEBFULLNAME and DEBEMAIL
# name. make test-package: installed, used, upgraded and removed in systems of their own. The last two need root, debootstrap and
# Debian's mirrors.
# SUITES="trixie": for Debian 13 alone.

DIST = $(OUT)/dist/mod_ratings-$(VERSION).tar.gz

.PHONY: dist package test-package
dist: ## the sources as a tarball that builds, tests and packages without git
	@build/dist $(DIST)

package: dist ## Debian packages, lintian clean, built in clean systems of Debian 12 and 13 (root; SUITES="trixie")
	@OUT='$(OUT)' build/package $(DIST) $(OUT)/package $(or $(SUITES),bookworm trixie)

test-package: package deps-run ## the packages beside a site that runs: installed, used, upgraded under load, purged (root; SUITES="trixie")
	@$(MAKE) --no-print-directory lambda-bootstrap
	@OUT='$(OUT)' APXS='$(APXS)' t/install/package $(DIST) $(OUT)/package $(or $(SUITES),bookworm trixie)
