#include "tools/cli/plan_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <nlohmann/json.hpp>

#include "tools/cli/column_table.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

using json = nlohmann::ordered_json;

/// More labels than this say nothing more.
constexpr std::size_t labels_shown = 10;

std::uint32_t connections_of(const connection_count& n, std::uint32_t pipelines) {
  return n.own + n.each_pipeline * pipelines;
}

std::string connections_text(const connection_count& n, std::uint32_t pipelines) {
  const std::uint32_t all = connections_of(n, pipelines);
  if (all == 0) {
    return "none";
  }
  return fmt::format("at most {} ({} of its own, {} for each of {} pipeline{})", all, n.own, n.each_pipeline,
                     pipelines, pipelines == 1 ? "" : "s");
}

std::string delivery_text(const plan_view& view) {
  const job_look& look = view.look;
  std::string out = look.delivery.promise;
  if (look.target.has_store) {
    out += fmt::format("{} the mark of each split is committed with its rows ({})",
                       look.delivery.exactly_once ? ":" : ";", look.target.tables);
  }
  if (!look.source.resumable && look.delivery.exactly_once) {
    out += "; a split that is interrupted is read again from its start";
  }
  return out;
}

std::string start_text(const job_look& look) {
  if (look.failure) {
    return "is refused: " + look.failure->message;
  }
  if (const auto* unfinished = std::get_if<go_on_with>(&look.next)) {
    return fmt::format("continues run {} ({} of {} splits done)", unfinished->run.run.text(),
                       look.splits_done, look.splits.size());
  }
  if (const auto* done = std::get_if<only_release>(&look.next)) {
    return fmt::format("only releases the claim of run {}, which is complete", done->run.run.text());
  }
  const auto* fresh = std::get_if<begin_fresh>(&look.next);
  if (fresh != nullptr && !fresh->discard.empty()) {
    return fmt::format("forgets {} unfinished run{} of this job and begins anew", fresh->discard.size(),
                       fresh->discard.size() == 1 ? "" : "s");
  }
  return fresh != nullptr ? "begins anew" : "is refused";
}

/// What the start finds besides, and leaves as it is or does away with.
std::vector<std::string> start_notes(const job_look& look) {
  if (const auto* fresh = std::get_if<begin_fresh>(&look.next)) {
    return fresh->notices;
  }
  const auto* unfinished = std::get_if<go_on_with>(&look.next);
  return unfinished == nullptr ? std::vector<std::string>() : unfinished->notices;
}

std::vector<std::string> limits_of(const job& what) {
  std::vector<std::string> lines;
  if (what.errors.records) {
    lines.push_back(fmt::format("at most {} dirty record{}", with_thousands(*what.errors.records),
                                *what.errors.records == 1 ? "" : "s"));
  } else if (what.errors.ratio) {
    lines.push_back(fmt::format("at most {:g}% dirty records", *what.errors.ratio * 100));
  } else {
    lines.emplace_back("any number of dirty records");
  }
  if (what.speed.bytes_per_second) {
    lines.push_back(fmt::format("{} a second", bytes_text(*what.speed.bytes_per_second)));
  }
  if (what.speed.records_per_second) {
    lines.push_back(fmt::format("{} records a second", with_thousands(*what.speed.records_per_second)));
  }
  return lines;
}

std::string memory_text(const plan_view& view) {
  const memory_plan& m = view.look.memory;
  return fmt::format(
      "{}: for each of {} pipeline{} batches of at most {}, two windows of {}, {} for the plugin at each "
      "end, {} of "
      "dirty records",
      view.memory, view.look.concurrency.pipelines, view.look.concurrency.pipelines == 1 ? "" : "s",
      bytes_text(m.batch_bytes_max), bytes_text(m.window_bytes), bytes_text(m.end_bytes),
      bytes_text(m.dirty_bytes_max));
}

/// The plan's page: rows of a name and lines behind it.
class page {
 public:
  void row(std::string_view name, const std::string& text) { out_ += fmt::format("{:<13} {}\n", name, text); }
  void rows(std::string_view name, const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
      row(name, line);
      name = "";
    }
  }
  void raw(const std::string& text) { out_ += text; }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

std::vector<std::string> step_lines(const std::vector<target_step>& steps) {
  std::vector<std::string> lines;
  for (const target_step& s : steps) {
    lines.push_back(fmt::format("{}. {}", lines.size() + 1, statement_text(s.text)));
  }
  return lines;
}

/// A statement with its literals taken out: those of two splits differ in nothing but their bounds. Names in
/// quotes stay, and the digits in a name.
std::string shape_of(std::string_view statement) {
  const auto in_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
  };
  std::string shape;
  for (std::size_t i = 0; i < statement.size();) {
    const char c = statement[i];
    if (c == '\'' || c == '"' || c == '`') {
      const std::size_t end = std::min(statement.find(c, i + 1), statement.size() - 1);
      shape += c == '\'' ? "?" : statement.substr(i, end + 1 - i);
      i = end + 1;
    } else if (in_word(c)) {
      std::size_t end = i;
      while (end < statement.size() && in_word(statement[end])) {
        ++end;
      }
      const bool number = std::isdigit(static_cast<unsigned char>(c)) != 0;
      shape += number ? "?" : statement.substr(i, end - i);
      i = end;
    } else {
      const bool sign = c == '-' && i + 1 < statement.size() &&
                        std::isdigit(static_cast<unsigned char>(statement[i + 1])) != 0;
      shape += sign ? "" : std::string_view(&c, 1);
      ++i;
    }
  }
  return shape;
}

/// Statements that differ in their bounds alone are one, shown as that of the first.
std::vector<split_kind> kinds_but_for_bounds(const std::vector<split_kind>& all) {
  std::vector<split_kind> kinds;
  std::map<std::string, std::size_t> known;
  for (const split_kind& kind : all) {
    const auto [at, is_new] = known.emplace(shape_of(kind.statement), kinds.size());
    if (is_new) {
      kinds.push_back(kind);
    } else {
      kinds[at->second].splits += kind.splits;
    }
  }
  return kinds;
}

void put_splits(page& out, const job_look& look) {
  out.row("Splits", fmt::format("{}{}", with_thousands(look.splits.size()),
                                look.splits_done == 0 ? "" : fmt::format(", {} done", look.splits_done)));
  for (std::size_t i = 0; i < std::min(look.splits.size(), labels_shown); ++i) {
    const split& s = look.splits[i];
    std::string size;
    if (s.records_exact) {
      size = fmt::format(" ({} records)", with_thousands(*s.records_exact));
    } else if (s.bytes_estimate) {
      size = fmt::format(" (about {})", bytes_text(*s.bytes_estimate));
    }
    out.row("", fmt::format("{}: {}{}", i, s.label, size));
  }
  if (look.splits.size() > labels_shown) {
    out.row("", fmt::format("and {} more", look.splits.size() - labels_shown));
  }
  for (const split_kind& kind : kinds_but_for_bounds(look.kinds)) {
    if (kind.statement.empty()) {
      continue;
    }
    out.row("Statement", kind.splits == 1 ? fmt::format("of 1 split, {}:", kind.first_label)
                                          : fmt::format("of {} splits, each with its bounds, such as {}:",
                                                        with_thousands(kind.splits), kind.first_label));
    out.row("", statement_text(kind.statement));
    if (!kind.resumed.empty()) {
      out.row("", "behind a cursor: " + statement_text(kind.resumed));
    }
  }
}

json steps_json(const std::vector<target_step>& steps) {
  json all = json::array();
  for (const target_step& s : steps) {
    all.push_back({{"text", s.text}, {"repeatable", s.repeatable}});
  }
  return all;
}

json splits_json(const std::vector<split>& splits) {
  json all = json::array();
  for (const split& s : splits) {
    json one = {{"label", s.label}};
    if (s.records_exact) {
      one["records"] = *s.records_exact;
    }
    if (s.bytes_estimate) {
      one["bytes_estimate"] = *s.bytes_estimate;
    }
    all.push_back(std::move(one));
  }
  return all;
}

json kinds_json(const std::vector<split_kind>& kinds) {
  json all = json::array();
  for (const split_kind& kind : kinds) {
    all.push_back({{"statement", kind.statement},
                   {"behind_a_cursor", kind.resumed},
                   {"splits", kind.splits},
                   {"first", kind.first_label}});
  }
  return all;
}

}  // namespace

std::string plan_text(const plan_view& view) {
  const job& what = view.what;
  const job_look& look = view.look;
  page out;
  out.row("Job", fmt::format("{} ({})", escaped(what.name), escaped(what.file)));
  out.row("Reader", what.reader.plugin);
  std::vector<std::string> statements;
  for (const std::string& s : look.source.statements) {
    statements.push_back(statement_text(s));
  }
  out.rows("", statements);
  out.rows("", look.source.notes);
  out.row("Writer", fmt::format("{}: {}", what.writer.plugin,
                                look.target.what.name.empty() ? "not opened" : look.target.what.name));
  out.rows("", look.target.what.notes);
  out.row("Time zone", view.zone);
  out.rows("Limits", limits_of(what));
  if (look.target.what.name.empty()) {
    return out.take();
  }
  out.row("Delivery", delivery_text(view));
  out.row("A run now", start_text(look));
  out.rows("", start_notes(look));
  out.row("A second run",
          look.target.what.run_again.empty() ? "does the same again" : look.target.what.run_again);
  out.rows("Changes", look.target.what.changes);
  out.rows("Before", step_lines(look.target.before));
  if (what.verify) {
    out.row("Verify",
            "what stands at the destination is compared with what was written; a difference fails the run");
  }
  out.rows("After", step_lines(look.target.after));
  put_splits(out, look);
  out.row("Pipelines", fmt::format("{} ({})", look.concurrency.pipelines, look.concurrency.reason));
  out.row("Connections", "source: " + connections_text(look.source.connections, look.concurrency.pipelines));
  out.row("", "destination: " + connections_text(look.target.what.connections, look.concurrency.pipelines));
  out.row("Transaction", look.delivery.transaction);
  out.row("Memory", memory_text(view));
  if (look.target.what.columns != nullptr && !look.pairs.empty()) {
    out.row("Columns", column_counts(look.pairs));
  } else {
    out.row("Columns", look.target.what.compared ? "the destination takes them as they come"
                                                 : "made by preSql, not compared");
  }
  if (!look.pairs.empty()) {
    out.raw(column_table(look.pairs));
  }
  return out.take();
}

std::string plan_json(const plan_view& view) {
  const job& what = view.what;
  const job_look& look = view.look;
  const std::uint32_t pipelines = look.concurrency.pipelines;
  json plan = {{"version", 1},
               {"job", what.name},
               {"file", what.file},
               {"job_key", what.key},
               {"time_zone", view.zone},
               {"reader",
                {{"plugin", what.reader.plugin},
                 {"statements", look.source.statements},
                 {"notes", look.source.notes},
                 {"connections_max", connections_of(look.source.connections, pipelines)}}},
               {"writer",
                {{"plugin", what.writer.plugin},
                 {"name", look.target.what.name},
                 {"notes", look.target.what.notes},
                 {"connections_max", connections_of(look.target.what.connections, pipelines)}}},
               {"limits", limits_of(what)},
               {"delivery", delivery_text(view)},
               {"exactly_once", look.delivery.exactly_once},
               {"progress_tables", look.target.has_store ? look.target.tables : ""},
               {"run_now", start_text(look)},
               {"run_now_notes", start_notes(look)},
               {"second_run", look.target.what.run_again},
               {"changes", look.target.what.changes},
               {"before", steps_json(look.target.before)},
               {"verify", what.verify},
               {"after", steps_json(look.target.after)},
               {"splits", splits_json(look.splits)},
               {"splits_done", look.splits_done},
               {"statements", kinds_json(look.kinds)},
               {"pipelines", pipelines},
               {"pipelines_reason", look.concurrency.reason},
               {"transaction_max", look.delivery.transaction},
               {"memory", memory_text(view)},
               {"columns", columns_json(look.pairs)}};
  plan["failure"] = look.failure ? json(look.failure->message) : json();
  return plan.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace sluice
