#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "plugins/api/plugin.h"
#include "tests/conformance/plugin_fixture.h"

namespace sluice::testing {

/// What the suite must know of one system to test its writer. Its columns are two of text, `id` and `name`.
struct target_quirks {
  std::string name;
  std::function<plugin()> make_plugin;
  /// Makes the destination ready and returns the writer's `parameter`.
  std::function<std::string(const temporary_folder&)> make_ready;
  /// What the destination holds now, one `id|name` a record, in any order.
  std::function<std::vector<std::string>(const temporary_folder&)> read_back;
  /// A record that must be refused with this code; empty where the destination takes everything.
  text_row bad_row = {};
  std::string bad_code = {};
};

/// A writer MUST: land rows exactly; leave nothing behind a rollback or an abandoned run; fence the older
/// epoch; return the committed mark from `open`, where it holds marks; keep the other rows of a batch when it
/// refuses one; account for every row.
class TargetSuite : public ::testing::TestWithParam<target_quirks> {};

}  // namespace sluice::testing
