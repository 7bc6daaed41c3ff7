#pragma once

#include <memory>
#include <vector>

#include "plugins/api/source.h"
#include "plugins/api/target.h"

namespace sluice {

/// Ends that have nothing to read and write nothing: a test gives them what it asks for.
class idle_source : public source {
 public:
  result<source_description> open(const stop_signal&) override { return source_description{}; }
  result<std::vector<split>> plan_splits(std::uint32_t, const stop_signal&) override {
    return std::vector<split>();
  }
  result<std::unique_ptr<reader>> make_reader() override { return nullptr; }
};
class idle_target : public target {
 public:
  result<target_description> open(const schema&, const stop_signal&) override { return target_description{}; }
  result<std::unique_ptr<writer>> make_writer(schema_ptr) override { return nullptr; }
};

}  // namespace sluice
