#include <fmt/format.h>

#include <cstdio>
#include <fstream>

#include "tools/plugin_docs/plugin_page.h"

/// `plugin_docs FOLDER` writes the page of each plugin into FOLDER (docs/plugins).
int main(int count, char** arguments) {
  if (count != 2) {
    fmt::print(stderr, "Usage: plugin_docs FOLDER, from the top of the tree: plugin_docs docs/plugins\n");
    return 2;
  }
  for (const sluice::plugin& p : sluice::all_plugins()) {
    const std::string path = fmt::format("{}/{}.md", arguments[1], p.name);
    std::ofstream out(path);
    out << sluice::plugin_page(p);
    if (!out.flush()) {
      fmt::print(stderr, "Cannot write {}; make the folder, or choose another.\n", path);
      return 1;
    }
    fmt::print("{}\n", path);
  }
  return 0;
}
