#include "tools/plugin_docs/datasource_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "jobspec/datasource_types.h"
#include "jobspec/describe.h"

namespace sluice {
namespace {

bool has_plugin(const datasource_type& type, const std::vector<plugin>& plugins) {
  return std::any_of(plugins.begin(), plugins.end(), [&](const plugin& p) {
    return std::find(type.plugins.begin(), type.plugins.end(), p.name) != type.plugins.end();
  });
}

std::string rule_text(const datasource_rule& rule) {
  const std::string keys = fmt::format("`{}`", fmt::join(rule.keys, "`, `"));
  return rule.what == datasource_rule::kind::one_of
             ? fmt::format("One of {} is needed.", keys)
             : fmt::format("{} {} needed where `{}` is `{}`.", keys, rule.keys.size() == 1 ? "is" : "are",
                           rule.when, fmt::join(rule.values, "` or `"));
}

}  // namespace

std::string datasource_page(const std::vector<plugin>& plugins) {
  std::string page =
      "# Types of data sources\n\nThe keys of `connectionProperties` in the [registry](datasources.md), by "
      "type.\n\n<!-- Made "
      "from the table of types by plugin_docs; change the table, not this page. -->\n\n| Type | What | Step "
      "types | "
      "Works in this release |\n|---|---|---|---|\n";
  for (const datasource_type& type : datasource_types()) {
    page += fmt::format("| [{0}](#{0}) | {1} | `{2}` | {3} |\n", type.name, type.meaning,
                        fmt::join(type.plugins, "`, `"), has_plugin(type, plugins) ? "yes" : "not yet");
  }
  for (const datasource_type& type : datasource_types()) {
    page += fmt::format("\n## {}\n\n", type.name);
    if (!type.aliases.empty()) {
      page += fmt::format("Also of the types `{}`.\n\n", fmt::join(type.aliases, "`, `"));
    }
    page += options_markdown(type.keys);
    for (const datasource_rule& rule : type.rules) {
      page += fmt::format("\n{}\n", rule_text(rule));
    }
    if (!type.paths.empty()) {
      page += fmt::format("\nRelative paths of `{}` are below the registry's folder.\n",
                          fmt::join(type.paths, "`, `"));
    }
    if (type.instance_mode) {
      page += "\n`connectionPropertiesMode` may be `InstanceMode`.\n";
    }
  }
  return page;
}

}  // namespace sluice
