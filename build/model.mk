# make model: the model of the protocol (t/model/README.md). NAMES="..." chooses.

.PHONY: model model-deep
model: deps-test ## the model of the protocol: explored, and each rule taken out
	@OUT='$(OUT)' t/model/run $(NAMES)

model-deep: deps-test ## the same with the configurations that take minutes and gigabytes
	@OUT='$(OUT)' JOBS=1 t/model/run --deep
