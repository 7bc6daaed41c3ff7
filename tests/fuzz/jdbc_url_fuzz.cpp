#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "plugins/mysql/mysql_url.h"
#include "plugins/postgresql/postgresql_url.h"
#include "plugins/sqlite/sqlite_url.h"

// Any bytes behind the scheme of an address. Nothing may crash, and what is read has servers, or is a file.
// The same bytes, but for what makes a property, around a password: no message shows it.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const relational::url_dialect* dialect :
       {&mysql::url_dialect(), &postgresql::url_dialect(), &sqlite::url_dialect()}) {
    const std::string url = std::string(dialect->grammar.schemes.front().prefix) + std::string(text);
    const auto options =
        relational::connect_options_of({{url, "here", {}}}, {}, *dialect, [](const std::string&) {});
    const bool is_file = dialect->grammar.schemes.front().file;
    if (options ? options->servers.empty() != is_file : options.error().kind != error_kind::bad_option) {
      std::abort();
    }
    if (is_file) {
      continue;  // no account stands in its path
    }
    std::string around(text);
    std::erase(around, '=');
    const std::size_t half = around.size() / 2;
    std::string said;
    const auto account = relational::connect_options_of(
        {{std::string(dialect->grammar.schemes.front().prefix) + "//user:" + around.substr(0, half) +
              "hunter2" + around.substr(half) + "@db/shop",
          "here",
          {}}},
        {}, *dialect, [&](const std::string& warning) { said += warning; });
    if (!account) {
      said += account.error().message;
    }
    if (said.find("hunter2") != std::string::npos) {
      std::abort();
    }
  }
  return 0;
}
