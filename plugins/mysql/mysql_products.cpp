#include "plugins/mysql/mysql_products.h"

#include <algorithm>

namespace sluice::mysql {
namespace {

constexpr std::string_view by_stream_load =
    "write its rows into CSV or JSON Lines files and load these by its Stream Load, whose labels load a file "
    "once";

/// What each says stands in its manual; none was at hand to be tried.
constexpr other_product others[] = {
    {"tidb", "TiDB", true},
    {"oceanbase", "OceanBase", true},
    // `5.6.29-TDDL-5.4.13`, `Tddl Server (ALIBABA)`. `X-Cluster` alone is a MySQL with InnoDB.
    {"polardb-x", "PolarDB-X", true},
    {"polardbx", "PolarDB-X", true},
    {"tddl", "PolarDB-X (DRDS)", true},
    {"drds", "PolarDB-X (DRDS)", true},
    {"analyticdb", "AnalyticDB for MySQL", false,
     "load them from files or from a table of a MySQL beside it"},
    {"starrocks", "StarRocks", false, by_stream_load},
    {"selectdb", "SelectDB", false, by_stream_load},
    {"doris", "Apache Doris", false, by_stream_load},
};

struct proxy_product {
  std::string_view mark;
  std::string_view name;
};
constexpr proxy_product proxies[] = {
    {"proxysql", "ProxySQL"}, {"maxscale", "MaxScale"}, {"-router", "MySQL Router"}, {"tiproxy", "TiProxy"}};

bool has_part(std::string_view text, std::string_view part) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [&](char a, char b) { return lower(a) == b; }) != text.end();
}

}  // namespace

const other_product* other_product_of(std::string_view version, std::string_view comment) {
  for (const other_product& other : others) {
    if (has_part(version, other.mark) || has_part(comment, other.mark)) {
      return &other;
    }
  }
  return nullptr;
}

server_product product_of(std::string_view version, std::string_view comment, bool mariadb) {
  return other_product_of(version, comment) != nullptr ? server_product::other
         : mariadb                                     ? server_product::mariadb
                                                       : server_product::mysql;
}

std::string_view proxy_of(std::string_view version, std::string_view comment) {
  for (const proxy_product& p : proxies) {
    if (has_part(version, p.mark) || has_part(comment, p.mark)) {
      return p.name;
    }
  }
  return "a proxy";
}

}  // namespace sluice::mysql
