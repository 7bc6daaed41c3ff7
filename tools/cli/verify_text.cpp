#include "tools/cli/verify_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "transport/base/text.h"

namespace sluice {
namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t differences_in_a_line = 3;
constexpr std::chrono::seconds between_lines{10};

std::string_view word_of(verify_difference::kind kind) {
  switch (kind) {
    case verify_difference::kind::missing:
      return "missing";
    case verify_difference::kind::extra:
      return "extra";
    case verify_difference::kind::different:
      return "different";
  }
  return "unknown";
}

std::string shown(const std::optional<std::string>& value) {
  return value ? in_quotes(*value) : "NULL";
}

std::string times_text(const verify_difference& d) {
  if (d.source_times <= 1 && d.destination_times <= 1) {
    return {};
  }
  return d.what == verify_difference::kind::missing
             ? fmt::format(" ({} times more at the source)", with_thousands(d.source_times))
             : fmt::format(" ({} times more at the destination)", with_thousands(d.destination_times));
}

std::string difference_text(const verify_difference& d) {
  const std::string refused =
      d.refused_as.empty() ? "" : fmt::format(" (refused by the last run: {})", escaped(d.refused_as));
  std::string text = fmt::format("{:9}  {}{}{}\n", word_of(d.what), d.record, times_text(d), refused);
  for (const auto& v : d.values) {
    text += fmt::format("           {}: {} at the source, {} at the destination\n", escaped(v.column),
                        shown(v.source), shown(v.destination));
  }
  return text;
}

std::string side_text(std::string_view what, const verified_side& side, const verify_report& r) {
  std::string text = fmt::format("{:11}  {} records", what, with_thousands(side.records));
  if (r.scope != verify_scope::counts) {
    text += fmt::format(", sum {} ({})", to_string(side.sum), r.form);
  }
  if (side.refused != 0) {
    text += fmt::format("; {} more do not fit the destination's columns and are not compared",
                        with_thousands(side.refused));
  }
  return text + "\n";
}

std::string read_text(const verified_side& side) {
  return fmt::format("{} of {}", side.read < side.records ? with_thousands(side.read) : "all",
                     with_thousands(side.records));
}

/// Where ranges were read.
std::string ranges_text(const verify_report& r) {
  return r.ranges.different == 0
             ? std::string()
             : fmt::format(
                   "{:11}  {} of {} ranges of {} {}; {} records are read, and {} at the destination\n", "",
                   with_thousands(r.ranges.different), with_thousands(r.ranges.compared),
                   escaped(r.ranges.by), r.ranges.different == 1 ? "differs" : "differ", read_text(r.source),
                   read_text(r.destination));
}

std::string counts_text(const verify_report& r) {
  const std::uint64_t unfit = r.source.refused + r.destination.refused;
  return fmt::format("{}{} different, {} missing, {} extra", r.counted_all ? "" : "at least ",
                     with_thousands(r.different), with_thousands(r.missing), with_thousands(r.extra)) +
         (unfit == 0 ? "" : fmt::format(", {} not compared", with_thousands(unfit)));
}

std::string records_text(std::uint64_t n, std::string_view verb_of_one, std::string_view verb_of_more) {
  return fmt::format("{} record{} {}", with_thousands(n), n == 1 ? "" : "s",
                     n == 1 ? verb_of_one : verb_of_more);
}

/// What the run tells of what differs, in sentences with a blank before each.
std::string run_text(const verify_report& r) {
  std::string text;
  if (r.gone.value_or(0) != 0) {
    text += fmt::format(" Of what run {} has written, {} there no more.", r.before->run.text(),
                        records_text(*r.gone, "stands", "stand"));
  }
  if (r.changed_since != 0) {
    text += fmt::format(" {} only because the source was changed since.",
                        records_text(r.changed_since, "differs", "differ"));
  } else if (r.source_as_read && !r.gone) {
    text += *r.source_as_read ? " The source is as the run has read it."
                              : " The source is not as the run has read it: what differs may come from that.";
  }
  return text;
}

json value_of(const std::optional<std::string>& value) {
  return value ? json(*value) : json();
}

json side_of(const verified_side& side) {
  return {{"name", side.name},
          {"records", side.records},
          {"read", side.read},
          {"sum", to_string(side.sum)},
          {"not_compared", side.refused}};
}

}  // namespace

std::string_view to_string(verify_report::verdict verdict) {
  switch (verdict) {
    case verify_report::verdict::equal:
      return "equal";
    case verify_report::verdict::equal_to_run:
      return "equal_to_run";
    case verify_report::verdict::equal_but_refused:
      return "equal_but_refused";
    case verify_report::verdict::different:
      return "different";
    case verify_report::verdict::planned:
      return "planned";
    case verify_report::verdict::failed:
      return "failed";
  }
  return "unknown";
}

std::string verify_plan_text(const verify_report& r, const std::string& job_name) {
  std::string text = fmt::format("Job {}: what its {} reader reads is compared with {}.\n", escaped(job_name),
                                 r.source.name, r.destination.name);
  text += fmt::format("If equal (scope {}): {}\n", to_string(r.scope), r.proves);
  if (r.scope != verify_scope::counts) {
    text += r.key.empty() ? std::string("Records have no key here: they are known by all their values.\n")
                          : fmt::format("Records are known by: {}\n", escaped(r.key));
  }
  text += fmt::format("Sums: {}\n", r.sums_by);
  if (!r.ranges.by.empty()) {
    text += fmt::format("Where they differ: the ranges of {} that do are read\n", escaped(r.ranges.by));
  } else if (!r.ranges.why_none.empty()) {
    text += fmt::format("Where they differ: all is read, because {}\n", r.ranges.why_none);
  }
  for (const std::string& note : r.notes) {
    text += fmt::format("Note: {}\n", note);
  }
  return text;
}

std::string verify_result_text(const verify_report& r) {
  std::string text =
      side_text("source", r.source, r) + side_text("destination", r.destination, r) + ranges_text(r);
  if (r.others.value_or(0) != 0) {
    text += fmt::format("{:11}  {} other rows stand at the destination\n", "", with_thousands(*r.others));
  }
  for (const verify_difference& d : r.differences) {
    text += difference_text(d);
  }
  if (r.missing + r.extra + r.different > r.differences.size() && !r.differences.empty()) {
    text += fmt::format("…          and more: {} are named, --max-differences N names more\n",
                        with_thousands(r.differences.size()));
  }
  switch (r.what) {
    case verify_report::verdict::equal:
      return text + "Equal.\n";
    case verify_report::verdict::equal_to_run: {
      const std::string refused =
          r.before->dirty == 0 ? "" : fmt::format("; it refused {}", with_thousands(r.before->dirty));
      const bool told_apart = r.changed_since != 0 && r.different + r.missing + r.extra == 0;
      return text + fmt::format(
                        "Equal to what run {} has written: {}{}. What differs "
                        "{}came to the source since, or changed there ({}).\n",
                        r.before->run.text(),
                        r.gone
                            ? fmt::format("each of its {} records stands", with_thousands(r.before->records))
                            : fmt::format("{} records with the same sum", with_thousands(r.before->records)),
                        refused, refused.empty() ? "" : "was refused, or ",
                        told_apart ? records_text(r.changed_since, "differs", "differ") : counts_text(r));
    }
    case verify_report::verdict::equal_but_refused:
      return text + fmt::format("Equal but for {} records that the last run has refused.\n",
                                with_thousands(r.differences.size() + r.source.refused));
    case verify_report::verdict::different:
      if (r.scope == verify_scope::where) {
        text +=
            "The job's where was asked of the destination, too: if it names a column that has another value "
            "there, --scope keys tells.\n";
      }
      return text + fmt::format("Not equal: {}.{}\n", counts_text(r), run_text(r));
    case verify_report::verdict::planned:
    case verify_report::verdict::failed:
      break;
  }
  return text;
}

std::string verify_line(const verify_report& r) {
  if (r.what == verify_report::verdict::equal) {
    return fmt::format("equal: {} records with the sum {} ({}) stand at the destination",
                       with_thousands(r.destination.records), to_string(r.destination.sum), r.form);
  }
  std::string text = fmt::format(
      "{}: {}", r.what == verify_report::verdict::different ? "not equal" : "equal to what was read",
      counts_text(r));
  std::size_t shown_so_far = 0;
  for (const verify_difference& d : r.differences) {
    if (r.what != verify_report::verdict::different || shown_so_far++ == differences_in_a_line) {
      break;
    }
    text += fmt::format("; {} {}", word_of(d.what), d.record);
    if (!d.values.empty()) {
      text += fmt::format(" ({}: {} at the source, {} at the destination)", escaped(d.values.front().column),
                          shown(d.values.front().source), shown(d.values.front().destination));
    }
  }
  const std::string of_run = r.what == verify_report::verdict::different ? run_text(r) : "";
  return of_run.empty() ? text : text + "." + of_run.substr(0, of_run.size() - 1);
}

std::string verify_json(const verify_report& r, const std::string& job_name) {
  json j;
  j["version"] = 1;
  j["job"] = job_name;
  j["verdict"] = to_string(r.what);
  j["error"] = json();
  if (r.failure) {
    j["error"] = {{"kind", to_string(r.failure->kind)}, {"message", r.failure->message}};
  }
  j["scope"] = to_string(r.scope);
  j["proves"] = r.proves;
  j["notes"] = r.notes;
  j["key"] = r.key;
  j["form"] = r.form;
  j["sums"] = r.sums_by;
  j["ranges"] = json();
  if (!r.ranges.by.empty()) {
    j["ranges"] = {{"by", r.ranges.by}, {"compared", r.ranges.compared}, {"different", r.ranges.different}};
  }
  j["source"] = side_of(r.source);
  j["destination"] = side_of(r.destination);
  j["others"] = r.others ? json(*r.others) : json();
  j["different"] = r.different;
  j["missing"] = r.missing;
  j["extra"] = r.extra;
  j["counted_all"] = r.counted_all;
  j["changed_since"] = r.changed_since;
  j["gone"] = r.gone ? json(*r.gone) : json();
  j["source_as_read"] = r.source_as_read ? json(*r.source_as_read) : json();
  j["run"] = r.before ? json(r.before->run.text()) : json();
  j["differences"] = json::array();
  for (const verify_difference& d : r.differences) {
    json one = {{"what", word_of(d.what)},
                {"record", d.record},
                {"source_times", d.source_times},
                {"destination_times", d.destination_times},
                {"refused_as", d.refused_as.empty() ? json() : json(d.refused_as)},
                {"values", json::array()}};
    for (const auto& v : d.values) {
      one["values"].push_back(
          {{"column", v.column}, {"source", value_of(v.source)}, {"destination", value_of(v.destination)}});
    }
    j["differences"].push_back(std::move(one));
  }
  return j.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

bool comparing_pace::is_due() {
  const auto now = std::chrono::steady_clock::now();
  if (now - told_ < between_lines) {
    return false;
  }
  told_ = now;
  return true;
}

}  // namespace sluice
