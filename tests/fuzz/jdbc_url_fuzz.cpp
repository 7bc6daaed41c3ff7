#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "plugins/mysql/mysql_url.h"
#include "plugins/postgresql/postgresql_url.h"

// Any bytes behind the scheme of an address. Nothing may crash, and what is read has servers.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const relational::url_dialect* dialect : {&mysql::url_dialect(), &postgresql::url_dialect()}) {
    const std::string url = std::string(dialect->grammar.schemes.front().prefix) + std::string(text);
    const auto options =
        relational::connect_options_of({{url, "here", {}}}, {}, *dialect, [](const std::string&) {});
    if (options ? options->servers.empty() : options.error().kind != error_kind::bad_option) {
      std::abort();
    }
  }
  return 0;
}
