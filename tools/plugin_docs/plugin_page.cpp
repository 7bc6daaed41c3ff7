#include "tools/plugin_docs/plugin_page.h"

#include <fmt/format.h>

#include <vector>

#include "jobspec/describe.h"

namespace sluice {
namespace {

std::string or_else(const std::string& text, const char* none) {
  return text.empty() ? none : text;
}

/// `a`, `b` and `c` in backquotes, with commas.
std::string names(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& name : list) {
    text += fmt::format("{}`{}`", text.empty() ? "" : ", ", name);
  }
  return text;
}

/// What a job's author asks first. Where a plugin has both sides they are the reader's: splits, cursors and
/// incremental loads are a matter of reading.
std::string capability_lines(const plugin& p) {
  const capabilities& can = p.reads != nullptr ? p.reads->can : p.writes->can;
  return fmt::format("- Splits: {}.\n- Resumes: {}.\n- Incremental: {}.\n- Distributes: {}.\n",
                     or_else(can.splits, "not at all, the source is one split"),
                     or_else(can.resumes, "not inside a split, a split is read again whole"),
                     or_else(can.incremental, "no way of its own"),
                     can.distributable ? "yes, over the nodes of a resource group" : "no, all on one node");
}

std::string other_names(const plugin& p) {
  std::string text;
  if (!p.aliases.empty()) {
    text += fmt::format(" Other names: {}.", names(p.aliases));
  }
  for (const alias_defaults& one : p.named_defaults) {
    for (const option_default& d : one.defaults) {
      text += fmt::format(" `{}` sets `{}` to `{}`.", one.alias, d.option, d.value);
    }
  }
  if (!p.datax_readers.empty() || !p.datax_writers.empty()) {
    std::vector<std::string> datax = p.datax_readers;
    datax.insert(datax.end(), p.datax_writers.begin(), p.datax_writers.end());
    text += fmt::format(" In DataX files: {}.", names(datax));
  }
  return text;
}

std::string side(const char* title, const std::string& promises, const side_description& described) {
  std::string text = fmt::format("\n## {}\n\n{}\n\n{}", title, promises, options_markdown(described.options));
  if (!described.sample.empty()) {
    text += fmt::format("\nA `parameter` that works:\n\n```json\n{}\n```\n", described.sample);
  }
  return text;
}

}  // namespace

std::string plugin_page(const plugin& p) {
  std::string page = capability_lines(p);
  page += fmt::format("\n# {}\n\n{} The `stepType` is `{}`.{}\n", p.name, p.summary, p.name, other_names(p));
  page +=
      "\n<!-- Made from the plugin's description by plugin_docs; change the description, not this page. "
      "-->\n";
  if (p.reads != nullptr) {
    page += side("Reader",
                 p.reads->can.repeatable ? "Reading a split again gives the same records in the same order."
                                         : "Reading a split again may give other records or another order.",
                 *p.reads);
  }
  if (p.writes != nullptr) {
    std::string promises = p.writes->can.transactional
                               ? "Exactly once: the mark is committed in the transaction of the rows."
                               : "At least once: the destination keeps no marks.";
    if (p.writes->can.writers_max != 0) {
      promises +=
          fmt::format(" At most {} at a time.", p.writes->can.writers_max == 1
                                                    ? "one writer"
                                                    : fmt::format("{} writers", p.writes->can.writers_max));
    }
    page += side("Writer", promises, *p.writes);
  }
  if (!p.remarks.empty()) {
    page += "\n## Good to know\n";
    for (const std::string& remark : p.remarks) {
      page += fmt::format("\n{}\n", remark);
    }
  }
  return page;
}

}  // namespace sluice
