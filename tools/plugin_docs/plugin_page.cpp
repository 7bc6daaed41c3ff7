#include "tools/plugin_docs/plugin_page.h"

#include <fmt/format.h>

#include <vector>

#include "jobspec/describe.h"
#include "transport/base/text.h"

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

std::string bound_text(const transaction_bound& bound) {
  std::string text = bound.bytes == 0 ? "" : bytes_text(bound.bytes);
  if (bound.rows != 0) {
    text += fmt::format("{}{} records", text.empty() ? "" : " or ", with_thousands(bound.rows));
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
    const capabilities& can = p.writes->can;
    std::string promises =
        can.marks.empty() ? "At least once: the destination keeps no marks."
        : can.transactional
            ? fmt::format("Exactly once: the mark is committed in the transaction of the rows, in {}.",
                          can.marks)
            : fmt::format("Exactly once, by marks in {}.", can.marks);
    if (!can.no_marks.empty()) {
      promises += fmt::format(" At least once {}.", can.no_marks);
    }
    if (can.whole_split_max != transaction_bound{}) {
      promises += fmt::format(
          " A split that the reader cannot begin inside is one transaction up to {}, and committed in parts "
          "beyond "
          "([delivery.md](../delivery.md)).",
          bound_text(can.whole_split_max));
    }
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

std::string promise_table(const std::vector<plugin>& plugins) {
  std::string table =
      "| Plugin | As a source, it goes on | As a destination | Its marks | At least once | One transaction "
      "of a split "
      "that cannot be begun inside |\n|---|---|---|---|---|---|\n";
  for (const plugin& p : plugins) {
    std::string row = fmt::format("| [{0}](plugins/{0}.md) | ", p.name);
    row += p.reads == nullptr ? "-" : or_else(p.reads->can.resumes, "at the start of a split");
    if (p.writes == nullptr) {
      table += row + " | - | - | - | - |\n";
      continue;
    }
    const capabilities& can = p.writes->can;
    row += can.marks.empty() ? " | at least once | none" : fmt::format(" | exactly once | {}", can.marks);
    row += fmt::format(" | {} | ", can.marks.empty() ? "always" : or_else(can.no_marks, "never"));
    row += can.whole_split_max != transaction_bound{} ? "up to " + bound_text(can.whole_split_max)
           : can.marks.empty()                        ? "none, it keeps no marks"
                                                      : "no bound, its mark follows the bytes";
    table += row + " |\n";
  }
  return table;
}

std::string with_promises(const std::string& page, const std::string& table) {
  const std::size_t begin = page.find(promises_begin);
  const std::size_t end = page.find(promises_end);
  if (begin == std::string::npos || end == std::string::npos || end < begin) {
    return page;
  }
  return page.substr(0, begin) + std::string(promises_begin) + "\n" + table + page.substr(end);
}

}  // namespace sluice
