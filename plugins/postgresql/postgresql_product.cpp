#include "plugins/postgresql/postgresql_product.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "transport/base/text.h"

namespace sluice::postgresql {
namespace {

/// In what such products answer; most of them name the PostgreSQL that they began as first.
constexpr auto others = std::to_array<std::string_view>(
    {"Greenplum", "openGauss", "GaussDB", "Kingbase", "Redshift", "AnalyticDB", "Cloudberry", "HashData",
     "HAWQ", "Vastbase", "MogDB", "Hologres", "Yugabyte", "-YB-", "Cockroach"});

std::string said(const server_product& product) {
  std::string text =
      fmt::format("The server says that it is {}, and not PostgreSQL itself", in_quotes(product.says));
  if (!product.settings_missing.empty()) {
    text += fmt::format(" (it takes no {})", fmt::join(product.settings_missing, ", "));
  }
  return text;
}

}  // namespace

bool is_postgresql(std::string_view version) {
  return version.starts_with("PostgreSQL ") &&
         std::none_of(others.begin(), others.end(),
                      [&](std::string_view other) { return version.find(other) != std::string_view::npos; });
}

std::string reading_plainly(const server_product& product) {
  return said(product) +
         ": it is read by SELECT, without COPY, a snapshot that connections share, ranges of blocks (ctid) "
         "and samples, so that splits show the table each at its own moment, and a table that is emptied "
         "meanwhile gives fewer rows without a word.";
}

std::string writing_plainly(const server_product& product) {
  return said(product) +
         ": it is written by INSERT with many rows each, without COPY and a staging table, which takes it "
         "several times as long, most of all where rows are refused; sequences are not looked at, and a "
         "table that is emptied meanwhile is seen only where no row is left.";
}

}  // namespace sluice::postgresql
