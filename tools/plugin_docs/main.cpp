#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "tools/plugin_docs/datasource_page.h"
#include "tools/plugin_docs/plugin_page.h"

namespace {

bool write(const std::string& path, const std::string& page) {
  std::ofstream out(path);
  out << page;
  if (!out.flush()) {
    fmt::print(stderr, "Cannot write {}; make the folder, or choose another.\n", path);
    return false;
  }
  fmt::print("{}\n", path);
  return true;
}

}  // namespace

/// `plugin_docs FOLDER` writes the page of each plugin into FOLDER (docs/plugins), and that of the types of
/// data sources and the table of promises in delivery.md beside FOLDER.
int main(int count, char** arguments) {
  if (count != 2) {
    fmt::print(stderr, "Usage: plugin_docs FOLDER, from the top of the tree: plugin_docs docs/plugins\n");
    return 2;
  }
  for (const sluice::plugin& p : sluice::all_plugins()) {
    if (!write(fmt::format("{}/{}.md", arguments[1], p.name), sluice::plugin_page(p))) {
      return 1;
    }
  }
  const std::string delivery = fmt::format("{}/../delivery.md", arguments[1]);
  std::stringstream there;
  there << std::ifstream(delivery).rdbuf();
  if (!write(delivery, sluice::with_promises(there.str(), sluice::promise_table(sluice::all_plugins())))) {
    return 1;
  }
  const std::string types = fmt::format("{}/../datasource-types.md", arguments[1]);
  return write(types, sluice::datasource_page(sluice::all_plugins())) ? 0 : 1;
}
