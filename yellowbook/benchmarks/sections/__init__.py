"""The parts of the benchmark, a module each, found by themselves (`yellowbook.benchmarks.measure.Section`)."""
