#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "plugins/api/plugin.h"
#include "tests/conformance/plugin_fixture.h"

namespace sluice::testing {

/// What the suite must know of a server that holds claims and marks.
struct claim_quirks {
  std::string name;
  std::function<plugin()> make_plugin;
  /// Makes an empty destination of two columns of text, `id` and `name`, without tables of marks, and returns
  /// the writer's `parameter`.
  std::function<std::string()> make_ready;
  /// Runs one statement as the administrator, where the tables of marks are.
  std::function<void(const std::string& sql)> run;
  /// The destination's rows.
  std::function<std::vector<std::string>()> rows;
  std::string slow_step;  ///< A statement of preSql that takes three seconds.
};

/// A destination on a server MUST: give a claim to one of several starts at once; tell a claim whose session
/// is gone from one that is held, before it is old; end the session of a claim that is taken over; fence
/// whoever lost it; let rows stand with their mark and a statement with its stage only; have nothing read
/// again once that is forbidden.
class ClaimSuite : public ::testing::TestWithParam<claim_quirks> {};

}  // namespace sluice::testing
