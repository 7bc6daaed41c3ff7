#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <string>
#include <vector>

#include "plugins/common/relational/url_properties.h"
#include "plugins/mysql/mysql_url.h"
#include "plugins/postgresql/postgresql_url.h"
#include "plugins/sqlite/sqlite_url.h"
#include "tests/support/source_dir.h"

namespace sluice::relational {
namespace {

/// A case of tests/data/urls.
struct url_case {
  std::string name;
  int line = 0;
  std::vector<std::string> urls;
  std::vector<std::string> properties;
  std::vector<std::string> outcome;  ///< Without the indent.
};

std::vector<url_case> cases_of(const std::string& file) {
  std::ifstream in(testing::in_source_tree("tests/data/urls/" + file));
  std::vector<url_case> cases;
  url_case at;
  int number = 0;
  std::string line;
  const auto close = [&] {
    if (!at.urls.empty()) {
      cases.push_back(at);
    }
    at = {};
  };
  while (std::getline(in, line)) {
    ++number;
    if (line.empty()) {
      close();
    } else if (line.starts_with("# ")) {
      at.name = line.substr(2);
      at.line = number;
    } else if (line.starts_with("+ ")) {
      at.properties.push_back(line.substr(2));
    } else if (line.starts_with("  ") && !at.urls.empty()) {
      at.outcome.push_back(line.substr(2));
    } else {
      at.urls.push_back(line);
    }
  }
  close();
  return cases;
}

std::string_view role_name(server_role role) {
  constexpr std::string_view names[] = {"any", "primary", "standby", "prefer_standby", "prefer_primary"};
  return names[static_cast<std::size_t>(role)];
}

/// A line for each member that is not as it is by default.
std::vector<std::string> lines_of(const connect_options& o) {
  const connect_options none;
  std::vector<std::string> lines;
  std::string servers;
  for (const server_address& server : o.servers) {
    servers += (servers.empty() ? "" : ", ") + to_text(server);
  }
  const auto add = [&](bool differs, std::string text) {
    if (differs) {
      lines.push_back(std::move(text));
    }
  };
  const auto ms = [](std::string_view name, std::chrono::milliseconds time) {
    return fmt::format("{} {} ms", name, time.count());
  };
  add(!servers.empty(), "servers " + servers);
  add(!o.database.empty(), "database " + o.database);
  add(o.access != none.access, o.access == file_access::read_only ? "access read_only" : "access existing");
  add(o.any_order, "any_order");
  add(o.role != none.role, fmt::format("role {}", role_name(o.role)));
  add(!o.user.empty(), "user " + o.user);
  add(o.password.has_value(), fmt::format("password {}", o.password ? o.password->shown() : ""));
  add(o.tls != none.tls, fmt::format("tls {}", to_string(o.tls)));
  add(!o.ca_file.empty(), "ca_file " + o.ca_file);
  add(!o.cert_file.empty(), "cert_file " + o.cert_file);
  add(!o.key_file.empty(), "key_file " + o.key_file);
  add(o.key_password.has_value(), "key_password ***");
  add(o.connect_timeout != none.connect_timeout, ms("connect_timeout", o.connect_timeout));
  add(o.socket_timeout != none.socket_timeout, ms("socket_timeout", o.socket_timeout));
  add(o.statement_timeout != none.statement_timeout, ms("statement_timeout", o.statement_timeout));
  add(!o.keepalive, "no keepalive");
  add(o.compression, "compression");
  for (const auto& [name, value] : o.session_settings) {
    lines.push_back(fmt::format("setting {} = {}", name, value));
  }
  for (const auto& [name, value] : o.option_defaults) {
    lines.push_back(fmt::format("option {} = {}", name, value));
  }
  return lines;
}

std::vector<std::string> outcome_of(const url_case& c, const url_dialect& dialect) {
  std::vector<placed_text> urls;
  for (std::size_t i = 0; i < c.urls.size(); ++i) {
    urls.push_back({c.urls[i], i == 0 ? "jdbcUrl" : fmt::format("jdbcUrl[{}]", i), {}});
  }
  placed_properties properties;
  for (const std::string& line : c.properties) {
    const std::size_t equals = line.find('=');
    const std::string name = line.substr(0, equals);
    properties.emplace_back(name, placed_text{line.substr(equals + 1), "properties." + name, {}});
  }
  std::vector<std::string> warnings;
  const auto options = connect_options_of(urls, properties, dialect,
                                          [&](std::string text) { warnings.push_back("~ " + text); });
  if (!options) {
    return {"! " + options.error().message};
  }
  std::vector<std::string> lines = lines_of(*options);
  lines.insert(lines.end(), warnings.begin(), warnings.end());
  return lines;
}

void check_all(const std::string& file, const url_dialect& dialect, std::size_t at_least) {
  const auto cases = cases_of(file);
  EXPECT_GE(cases.size(), at_least);
  for (const url_case& c : cases) {
    EXPECT_EQ(outcome_of(c, dialect), c.outcome) << file << ":" << c.line << " " << c.name;
  }
}

TEST(urls, of_mysql_and_mariadb_come_to_what_the_file_of_cases_says) {
  check_all("mysql.txt", mysql::url_dialect(), 80);
}

TEST(urls, of_postgresql_come_to_what_the_file_of_cases_says) {
  check_all("postgresql.txt", postgresql::url_dialect(), 45);
}

TEST(urls, of_sqlite_come_to_what_the_file_of_cases_says) {
  check_all("sqlite.txt", sqlite::url_dialect(), 45);
}

TEST(urls, have_each_property_once_and_a_reason_for_each_refusal) {
  for (const url_dialect* dialect :
       {&mysql::url_dialect(), &postgresql::url_dialect(), &sqlite::url_dialect()}) {
    std::vector<std::string> seen;
    for (const url_property& p : dialect->properties) {
      std::string name(p.name);
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
      EXPECT_EQ(std::count(seen.begin(), seen.end(), name), 0) << name;
      seen.push_back(name);
      if (p.use == property_use::refused || (p.use == property_use::harmless && !p.words.empty())) {
        EXPECT_FALSE(p.why.empty()) << name;
      }
      if (p.use == property_use::setting || p.use == property_use::setting_number ||
          p.use == property_use::option || p.use == property_use::option_ms) {
        EXPECT_FALSE(p.to.empty()) << name;
      }
    }
  }
}

TEST(urls, never_show_a_password_whatever_is_wrong_with_them) {
  for (const url_dialect* dialect : {&mysql::url_dialect(), &postgresql::url_dialect()}) {
    const std::string scheme(dialect->grammar.schemes.front().prefix);
    for (const char* rest :
         {"//u:hunter2@db:x/d", "//db/d?password=hunter2&ssl=zz%", "//u:hunter2@[::1/d", "//u:hunter2@db/d/e",
          "//u:hunter2@a,,b/d", "//db/d?password=hunter2&sslMode=hunter", "//u:hunter2/secret@db/d",
          "//u:7/hunter2@db/d", "//u:x?hunter2@db/d", "//u:7?hunter2@db/d", "//u:x#hunter2@db/d",
          "//u:x@hunter2/y@db/d", "//u:x?a=hunter2@db/d", "//u:x y/hunter2@db/d", "//u:x,\"/hunter2@db/d",
          "//u/x:hunter2@db/d", "//a,u:hunter2/x@db/d", "//u:hunter2://x@db/d", "u:hunter2@db/d"}) {
      std::string said;
      const auto options = connect_options_of({{scheme + rest, "here", {}}}, {}, *dialect,
                                              [&](const std::string& text) { said += text; });
      EXPECT_EQ((said + (options ? "" : options.error().message)).find("hunter2"), std::string::npos) << rest;
    }
  }
}

TEST(urls, take_no_account_for_a_server_because_its_password_was_not_written_as_it_must_be) {
  for (const url_dialect* dialect : {&mysql::url_dialect(), &postgresql::url_dialect()}) {
    const std::string scheme(dialect->grammar.schemes.front().prefix);
    for (const char* rest :
         {"//u:7/s@db", "//u:7?s@db/d", "//u:s?a=b@db/d", "//u/7@db/d", "//u:p@s/w@db/d"}) {
      const auto options =
          connect_options_of({{scheme + rest, "here", {}}}, {}, *dialect, [](const std::string&) {});
      ASSERT_FALSE(options) << rest;
      EXPECT_NE(options.error().message.find("%2F"), std::string::npos) << options.error().message;
    }
    const auto options = connect_options_of({{scheme + "//a:1,[::1]:2/d?user=u@b&password=p@w", "here", {}}},
                                            {}, *dialect, [](const std::string&) {});
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_EQ(options->user, "u@b");
  }
}

TEST(urls, cut_short_anywhere_are_read_or_refused) {
  for (const url_dialect* dialect : {&mysql::url_dialect(), &postgresql::url_dialect()}) {
    const std::string scheme(dialect->grammar.schemes.front().prefix);
    const std::string url =
        scheme + "//u:p@[::1]:33,address=(host=a)(port=1),b:2/d%41?ssl=true&options=-c%20a=b#";
    for (std::size_t n = 0; n <= url.size(); ++n) {
      for (const char last : {'%', '(', '[', '=', '&', ',', ':', '@', '\0'}) {
        const std::string text = url.substr(0, n) + last;
        const auto options =
            connect_options_of({{text, "here", {}}}, {}, *dialect, [](const std::string&) {});
        EXPECT_TRUE(options ? !options->servers.empty() : options.error().kind == error_kind::bad_option)
            << text;
      }
    }
  }
}

}  // namespace
}  // namespace sluice::relational
