#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugins/api/plugin.h"
#include "tests/conformance/plugin_fixture.h"

namespace sluice::testing {

/// What the suite must know of one system to test its reader. Everything else is asked of the plugin itself.
struct source_quirks {
  std::string name;  ///< For the test's name: letters and digits.
  std::function<plugin()> make_plugin;
  /// Fills the system (files go into the folder) and returns the reader's `parameter`.
  std::function<std::string(const temporary_folder&)> fill;
  /// All rows of all splits for `advice` pipelines, in any order, as `rows_of` shows them; nothing where they
  /// are made up: then only `records` is compared.
  std::optional<std::vector<std::string>> rows = std::nullopt;
  std::function<std::uint64_t(std::uint32_t advice)> records = {};
  /// Codes of the records that must be dirty, in any order.
  std::vector<std::string> dirty_codes = {};
};

/// A reader MUST: describe its columns; give every record of all splits once; give the same records again
/// where it says it is repeatable; go on exactly behind each cursor where it says it is resumable; keep to
/// the builder's limits and ask for room where a record needs it; answer or stop when the stop has fired;
/// refuse a bad record whole.
class SourceSuite : public ::testing::TestWithParam<source_quirks> {};

}  // namespace sluice::testing
