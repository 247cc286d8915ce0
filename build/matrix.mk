# make matrix: the products and versions that stand beside the module at sites (t/matrix/rows), each played against it. It fetches
# them into CACHE_DIR, 3 GB, and is no part of make test. NAMES="redis-8.0 kafka-4.4" chooses rows.

.PHONY: matrix matrix-publish
matrix: deps-matrix ## the module beside other products and versions: a table of what was seen (fetches them; NAMES="...": only these)
	@$(MAKE) --no-print-directory module lambda-bootstrap lambda
	@OUT='$(OUT)' APXS='$(APXS)' t/matrix/run $(NAMES)

matrix-publish: ## the table of the last make matrix into docs/compatibility.md
	@t/matrix/publish $(OUT)/matrix/table.md
