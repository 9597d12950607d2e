# make build | demo | test | bench      each does the set-up it needs, once
BUILD := build/release
NINJA := cmake --build $(BUILD) --

.PHONY: build demo test bench

build: $(BUILD)/build.ninja
	$(NINJA) nibble nibble-run nibble_runtime nibble_runtime_static

demo: $(BUILD)/build.ninja
	$(NINJA) nibble nibble-demo
	$(BUILD)/nibble-demo models/demo/glyphs.onnx

test: $(BUILD)/build.ninja build/venv/.installed
	$(NINJA)
	ctest --test-dir $(BUILD) --output-on-failure -j2

bench: build build/venv/.bench-installed
	cmake $(BUILD) >/dev/null
	$(NINJA) nibble-rounds nibble-limits nibble-onednn
	build/venv/bin/python bench/peers.py --output build/bench.json

$(BUILD)/build.ninja: CMakeLists.txt build/.packages
	cmake -S . -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=Release

build/.%: tools/%.txt
	tools/setup $<
	mkdir -p build && touch $@

build/venv/.installed: tools/requirements.txt build/.packages
	python3 -m venv build/venv
	build/venv/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

build/venv/.bench-installed: tools/requirements-bench.txt build/.packages-bench build/venv/.installed
	build/venv/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@
