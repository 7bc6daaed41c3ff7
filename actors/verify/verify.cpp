#include "actors/verify/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "actors/verify/reading_target.h"
#include "actors/verify/verification.h"
#include "transport/base/text.h"
#include "transport/record/canonical.h"

namespace sluice {
namespace {

/// What a record costs that is gathered: its hashes and its place in two tables.
constexpr std::uint64_t gathered_bytes = 128;
constexpr std::uint64_t gathered_least = 20'000;
/// Of ranges that are read: for fewer no second connection is opened.
constexpr std::uint64_t records_a_pipeline = 100'000;

/// Passes on what a reading of one side says.
class side_observer final : public run_observer {
 public:
  side_observer(verify_observer& to, std::string side) : to_(to), side_(std::move(side)) {}
  void notice(notice_level level, const std::string&, std::int64_t, const std::string& line) override {
    if (level != notice_level::info) {
      to_.notice(level, fmt::format("{}: {}", side_, line));
    }
  }
  void waiting(const std::string& what, double seconds) override {
    if (seconds > 0) {
      to_.notice(notice_level::info, fmt::format("{}: waits {} for {}", side_, duration_text(seconds), what));
    }
  }
  void progress(const progress_snapshot& now) override { to_.progress("reading the " + side_, now); }
  void dirty(const dirty_record&, std::uint32_t) override {}

 private:
  verify_observer& to_;
  std::string side_;
};

}  // namespace

bool verification::reads_all(const std::string& why) {
  report_.ranges.different = 0;
  report_.sums_by = fmt::format("read back, because {}", why);
  observer_.notice(notice_level::info, fmt::format("Both ends are read: {}.", why));
  return false;
}

result<bool> verification::compare_in_databases() {
  if (!sums_) {
    return false;
  }
  auto ends = *std::exchange(sums_, std::nullopt);
  auto found = ends.compare(!report_.ranges.by.empty(), stop_);
  if (!found && (found.error().kind == error_kind::cancelled || stop_.fired())) {
    return fail(std::move(found).error());
  }
  if (!found) {
    return reads_all(fmt::format("a database could not compute the sums: {}", found.error().message));
  }
  report_.ranges.compared = found->compared;
  if (!found->equal && found->differ.empty()) {
    return reads_all(fmt::format(
        "the sums that the databases computed differ ({} records at the source, {} at the destination){}",
        with_thousands(found->source.records), with_thousands(found->destination.records),
        found->compared == 0 ? "" : ", in more ranges than are worth telling apart"));
  }
  if (!found->equal) {
    std::vector<key_range> ranges;
    for (const differing_range& r : found->differ) {
      ranges.push_back(r.range);
    }
    conditions_ = ends.conditions_of(ranges);
    apart_ = std::move(*found);
    return false;
  }
  if (settings_.trusts_run && settings_.before && how_.rows == read_back::standing::every_record &&
      found->destination.records < settings_.before->records) {
    return reads_all("fewer records stand there than the run has written");
  }
  report_.before = settings_.before;
  take_sums(*found);
  report_.what = verify_report::verdict::equal;
  return true;
}

/// As the databases have computed them.
void verification::take_sums(const bisection& found) {
  report_.source.records = found.source.records;
  report_.source.sum = found.source.sum;
  report_.destination.records = found.destination.records;
  report_.destination.sum = found.destination.sum;
  report_.form = by_->taken.size() == by_->columns->size()
                     ? std::string(sql_form_name)
                     : fmt::format("{} over the columns compared", sql_form_name);
}

result<run_summary> verification::read(side which, std::shared_ptr<row_reading> into,
                                       std::shared_ptr<const compared_columns> by) {
  const bool source = which == side::source;
  if (by == nullptr) {
    by = source ? by_ : back_by_;
  }
  return read_into(which,
                   make_reading_target(std::move(by), std::move(into), "what is compared",
                                       source ? look_.target.what.left_out : std::vector<std::size_t>()));
}

result<run_summary> verification::read_into(side which, std::shared_ptr<target> to) {
  const bool source = which == side::source;
  const job& what = source ? from_ : back_;
  run_settings settings;
  settings.memory_bytes = settings_.memory_bytes;
  settings.run = settings_.run;
  settings.run_folder = fmt::format("{}/{}", settings_.folder, ++readings_);
  if (std::error_code failed; !std::filesystem::create_directory(settings.run_folder, failed)) {
    return fail(error_kind::no_room, "cannot make the folder {}: {}", in_quotes(settings.run_folder),
                failed.message());
  }
  settings.time_zone = settings_.time_zone;
  settings.resolve_secret = settings_.resolve_secret;
  settings.guard = settings_.guard;
  settings.stop_now = settings_.stop_now;
  settings.retries_max = settings_.retries_max;
  settings.report_interval = std::chrono::milliseconds(2000);
  side_observer observer(observer_, source ? "source" : "destination");
  const run_summary ended = execute_between(
      what,
      [&](const end_settings& given) -> result<job_ends> {
        SLUICE_TRY(auto ends, make_source_end(what, source ? reader_plugin_ : writer_plugin_, given));
        ends.to = std::move(to);
        return ends;
      },
      settings, observer, stop_);
  std::error_code ignored;
  std::filesystem::remove_all(settings.run_folder, ignored);
  if (ended.failure) {
    return fail(ended.failure->kind, "reading the {} to compare it: {}", source ? "source" : "destination",
                ended.failure->message);
  }
  return ended;
}

result<void> verification::compare() {
  SLUICE_TRY(const bool equal, compare_in_databases());
  if (equal) {
    return {};
  }
  SLUICE_TRY(const bool as_written, compare_with_run());
  if (as_written) {
    return {};
  }
  if (apart_) {
    SLUICE_TRY(const bool told, compare_ranges());
    if (told) {
      return {};
    }
  }
  return compare_whole();
}

std::uint64_t verification::room_to_gather() const {
  return std::max(gathered_least, settings_.memory_bytes / 4 / gathered_bytes);
}

bool verification::sums_are_runs() const {
  if (!settings_.before || report_.scope == verify_scope::counts) {
    return false;
  }
  return settings_.before->form == canonical_name ? by_->is_whole() : !own_.empty();
}

void verification::know_written() {
  if (rows_ || !settings_.before || settings_.written_in.empty() || report_.scope == verify_scope::counts ||
      by_->taken.size() != written_->size()) {
    return;
  }
  const auto same_type = [](const field& a, const field& b) { return a.type == b.type; };
  if (!std::equal(written_->begin(), written_->end(), by_->columns->begin(), by_->columns->end(),
                  same_type)) {
    return;
  }
  const written_by_run& run = *settings_.before;
  rows_ = read_written_rows(settings_.written_in, run.records + run.ignored,
                            written_rows_max(settings_.memory_bytes));
  if (rows_ && run.ignored == 0 && run.form == canonical_name && by_->is_whole() &&
      rows_->all.sum != run.sum) {
    rows_.reset();
  }
}

result<void> verification::look_at_destination() {
  if (!own_.empty() && settings_.before && settings_.before->form != canonical_name) {
    return look_at_own_bytes();
  }
  auto by_row = std::make_shared<compared_columns>(*back_by_);
  by_row->key.clear();
  auto there = std::make_shared<tally_reading>(0, rows_ ? &rows_->known : nullptr);
  SLUICE_TRY(const run_summary back, read(side::destination, there, by_row));
  report_.destination.read += back.counts.read;
  if (back.counts.dirty == 0) {
    stands_ = {there->all().rows, there->all().sum};
  }
  destination_rows_ = there->all().rows + back.counts.dirty;
  return rows_ ? count_gone(there->known(), by_row) : result<void>();
}

result<void> verification::look_at_own_bytes() {
  auto columns = std::make_shared<schema>(*by_->columns);
  for (std::size_t i = 0; i < columns->size(); ++i) {
    if (own_[i]) {
      (*columns)[i] = (*back_columns_.columns)[i];
    }
  }
  SLUICE_TRY(const run_summary back,
             read_into(side::destination, make_own_bytes_target(columns, own_, "what is compared")));
  report_.destination.read += back.counts.read;
  if (back.counts.dirty == 0 && back.sums_form == settings_.before->form) {
    stands_ = {back.counts.written, back.sums.written};
  }
  return {};
}

result<void> verification::count_gone(const row_tally& there,
                                      const std::shared_ptr<const compared_columns>& by_row) {
  std::vector<bool> apart(heap_count);
  std::uint64_t rows = 0;
  for (std::uint32_t i = 0; i < heap_count; ++i) {
    apart[i] = rows_->all.heaps[i] != there.heaps[i];
    rows += apart[i] ? rows_->all.heaps[i].rows + there.heaps[i].rows : 0;
  }
  if (rows == 0) {
    report_.gone = 0;
    return {};
  }
  if (rows > room_to_gather()) {
    return {};
  }
  const auto found = std::make_shared<gather_reading>(apart, &rows_->known);
  SLUICE_CHECK(read(side::destination, found, by_row));
  std::uint64_t gone = 0;
  for (const auto& [row, written] : gather_written_rows(settings_.written_in, apart)) {
    const auto at = found->rows().find(row);
    const std::uint64_t stand = at == found->rows().end() ? 0 : at->second.front().second;
    gone += std::max(written.front().second, stand) - stand;
  }
  report_.gone = gone;
  return {};
}

result<bool> verification::compare_with_run() {
  know_written();
  if (!settings_.trusts_run || (!sums_are_runs() && !rows_)) {
    return false;
  }
  SLUICE_CHECK(look_at_destination());
  const bool beside_others = all_stands() && report_.scope == verify_scope::keys;
  if (!stands_as_written() && !beside_others) {
    return false;
  }
  const written_by_run& run = *settings_.before;
  report_.before = run;
  report_.source.records = report_.destination.records = run.records;
  report_.source.sum = report_.destination.sum = sums_are_runs() ? run.sum : rows_->all.sum;
  if (beside_others) {
    report_.others = destination_rows_ - std::min(destination_rows_, run.records);
  }
  report_.what = verify_report::verdict::equal;
  return true;
}

bool verification::stands_as_written() const {
  if (!settings_.before || !stands_ || stands_->first != settings_.before->records) {
    return false;
  }
  // What is compared as something else than canonical/1 has no sum of the run, but each of its rows.
  return sums_are_runs() ? stands_->second == settings_.before->sum : all_stands();
}

result<void> verification::learn_of_run() {
  if (!settings_.before || report_.gone) {
    return {};
  }
  know_written();
  // What the rows have not explained is a difference, unless it is a row of others.
  const bool decided = rows_ && report_.missing + report_.extra + report_.different != 0;
  if (decided && report_.scope != verify_scope::keys) {
    return {};
  }
  const bool by_sum = sums_are_runs() && !stands_as_written() &&
                      (!stands_ || settings_.before->form != canonical_name) &&
                      settings_.before->records == destination_rows_ && report_.destination.refused == 0;
  if (rows_ || by_sum) {
    SLUICE_CHECK(look_at_destination());
  }
  return {};
}

/// Of a job's records those that the condition chooses, too. So few come that more pipelines would only open
/// more connections.
void verification::restrict_to(job& reading, const plugin& of, const std::string& condition) const {
  const auto where = reading.reader.parameter.text("where");
  const std::string own = where && *where && !(*where)->empty() ? fmt::format("({}\n) AND ", **where) : "";
  reading.reader.parameter =
      reading.reader.parameter.changed({{"where", fmt::format("{}({})", own, condition)}}, of.reads->options);
  std::uint64_t records = 0;
  for (const differing_range& r : apart_->differ) {
    records += std::max(r.source, r.destination);
  }
  reading.speed.concurrent = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(reading.speed.concurrent, 1 + records / records_a_pipeline));
}

result<bool> verification::compare_ranges() {
  const bisection& found = *apart_;
  std::uint64_t there = 0;
  std::uint64_t here = 0;
  for (const differing_range& r : found.differ) {
    there += r.source;
    here += r.destination;
  }
  observer_.notice(
      notice_level::info,
      fmt::format("{} of {} ranges of {} {}: {} of {} records of the source are read, and {} of {} of the "
                  "destination.",
                  with_thousands(found.differ.size()), with_thousands(found.compared), report_.ranges.by,
                  found.differ.size() == 1 ? "differs" : "differ", with_thousands(there),
                  with_thousands(found.source.records), with_thousands(here),
                  with_thousands(found.destination.records)));
  const job from = from_;
  const job back = back_;
  restrict_to(from_, reader_plugin_, conditions_.first);
  restrict_to(back_, writer_plugin_, conditions_.second);
  auto told = [&]() -> result<bool> {
    SLUICE_CHECK(tally());
    SLUICE_CHECK(compare_heaps(destination_->all()));
    return differs_at_all();
  }();
  from_ = from;
  back_ = back;
  SLUICE_CHECK(told);
  if (!*told) {
    return reads_all("the ranges whose sums differed were equal when they were read");
  }
  take_sums(found);
  report_.ranges.different = found.differ.size();
  destination_rows_ = found.destination.records;
  report_.sums_by += ", and read back where they differ";
  SLUICE_CHECK(learn_of_run());
  judge();
  return true;
}

result<run_summary> verification::tally() {
  const bool others = report_.scope == verify_scope::keys;
  // A quarter of the budget; readers and buffers hold nothing for a destination here.
  const std::uint64_t keys_max = others ? settings_.memory_bytes / 4 / sizeof(key_set::value_type) : 0;
  source_ = std::make_shared<tally_reading>(keys_max);
  const auto from = read(side::source, source_);
  if (source_->has_too_many()) {
    return fail(error_kind::no_room,
                "the source has more than {} records, whose keys are all that --memory {} has room for; give "
                "more, or --scope whole where the destination holds nothing else",
                with_thousands(keys_max), bytes_text(settings_.memory_bytes));
  }
  SLUICE_CHECK(from);
  if (others) {
    keys_ = source_->take_keys();
  }
  destination_ = std::make_shared<tally_reading>(0, keys_ ? &*keys_ : nullptr);
  SLUICE_TRY(const run_summary back, read(side::destination, destination_));
  report_.source.refused = from->counts.dirty;
  report_.destination.refused = back.counts.dirty;
  report_.source.read += from->counts.read;
  report_.destination.read += back.counts.read;
  return from;
}

result<void> verification::compare_whole() {
  SLUICE_TRY(const run_summary from, tally());
  const bool others = report_.scope == verify_scope::keys;
  report_.source.records = source_->all().rows;
  report_.source.sum = source_->all().sum;
  const bool all_equal =
      source_->all().rows == destination_->all().rows && source_->all().sum == destination_->all().sum;
  const row_tally& there = others && !all_equal ? destination_->known() : destination_->all();
  if (others) {
    report_.others = destination_->all().rows - there.rows;
  }
  report_.destination.records = there.rows;
  report_.destination.sum = there.sum;
  destination_rows_ = destination_->all().rows;
  if (settings_.before && settings_.before->form == canonical_name) {
    stands_ = {there.rows, there.sum};
    report_.source_as_read =
        from.counts.read == settings_.before->read && from.sums.read == settings_.before->read_sum;
  }
  if (report_.scope != verify_scope::counts) {
    SLUICE_CHECK(compare_heaps(there));
  } else if (report_.source.records != report_.destination.records) {
    report_.missing = report_.source.records - std::min(report_.source.records, report_.destination.records);
    report_.extra =
        report_.destination.records - std::min(report_.source.records, report_.destination.records);
  }
  if (differs_at_all()) {
    SLUICE_CHECK(learn_of_run());
  }
  judge();
  return {};
}

result<void> verification::compare_heaps(const row_tally& there) {
  std::vector<bool> differ(heap_count);
  for (std::uint32_t i = 0; i < heap_count; ++i) {
    differ[i] = source_->all().heaps[i] != there.heaps[i];
  }
  const bool any = std::find(differ.begin(), differ.end(), true) != differ.end();
  SLUICE_CHECK(find_differences(std::move(differ)));
  if (any && report_.missing + report_.extra + report_.different + report_.changed_since == 0 &&
      how_.rows == read_back::standing::every_record) {
    return fail(
        error_kind::source_changed,
        "an end changed while it was compared: both differed when they were read first, and not any more "
        "when they were read again; compare once more when they are at rest");
  }
  return {};
}

/// Reads both sides again, and of the heaps that differ all records: as many at a time as there is room for.
result<void> verification::find_differences(std::vector<bool> differ) {
  const std::uint64_t room = room_to_gather();
  know_written();
  const row_tally& there = keys_ ? destination_->known() : destination_->all();
  std::vector<key_difference> found;
  std::uint64_t named = 0;
  std::uint32_t next = 0;
  while (true) {
    std::vector<bool> chosen(heap_count);
    std::uint64_t rows = 0;
    bool any = false;
    for (; next < heap_count; ++next) {
      if (!differ[next]) {
        continue;
      }
      const std::uint64_t more = source_->all().heaps[next].rows + there.heaps[next].rows;
      if (any && rows + more > room) {
        break;
      }
      if (!by_->key.empty() && more > room) {
        return fail(
            error_kind::no_room,
            "{} records share a key, or nearly so, which is more than --memory {} has room to compare; "
            "name more columns with --key, or give more memory",
            with_thousands(more), bytes_text(settings_.memory_bytes));
      }
      chosen[next] = true;
      any = true;
      rows += more;
    }
    if (!any) {
      break;
    }
    if (named >= settings_.differences_max) {
      report_.counted_all = false;
      break;
    }
    auto left = std::make_shared<gather_reading>(chosen, keys_ ? &*keys_ : nullptr);
    auto right = std::make_shared<gather_reading>(chosen, keys_ ? &*keys_ : nullptr);
    SLUICE_CHECK(read(side::source, left));
    SLUICE_CHECK(read(side::destination, right));
    for (key_difference& one : differences_between(left->rows(), right->rows(), how_.rows)) {
      if (rows_) {
        report_.changed_since += take_changed_since(one, left->rows(), right->rows(), *rows_, how_.rows);
      }
      if (one.source.empty() && one.destination.empty()) {
        continue;
      }
      const std::uint64_t missing = one.missing();
      const std::uint64_t extra = one.extra();
      const std::uint64_t both = by_->key.empty() ? 0 : std::min(missing, extra);
      report_.different += both;
      report_.missing += missing - both;
      report_.extra += extra - both;
      named += missing + extra - both;
      if (found.size() < settings_.differences_max) {
        found.push_back(std::move(one));
      }
    }
  }
  return name_differences(found);
}

void verification::judge() {
  const auto& before = settings_.before;
  // Whatever the source has by now: less stands there than the run has written.
  const bool each_stands = how_.rows == read_back::standing::every_record;
  const bool lost = each_stands && ((settings_.trusts_run && destination_rows_ < before->records) ||
                                    report_.gone.value_or(0) != 0);
  report_.before = before;
  const bool readable = report_.destination.refused == 0;
  const std::uint64_t differ = report_.missing + report_.extra + report_.different;
  if (differ == 0 && readable && !lost && report_.source.refused == 0) {
    report_.what =
        report_.changed_since == 0 ? verify_report::verdict::equal : verify_report::verdict::equal_to_run;
    return;
  }
  const bool all_there = all_stands() && (differ == 0 || report_.scope == verify_scope::keys);
  const bool as_written = readable && !lost && (stands_as_written() || all_there);
  const bool all_refused = before && report_.counted_all && readable && !lost &&
                           report_.differences.size() == differ &&
                           report_.source.refused + differ <= before->dirty &&
                           std::all_of(report_.differences.begin(), report_.differences.end(),
                                       [](const auto& d) { return !d.refused_as.empty(); });
  report_.what = as_written    ? verify_report::verdict::equal_to_run
                 : all_refused ? verify_report::verdict::equal_but_refused
                               : verify_report::verdict::different;
}

std::string_view to_string(verify_scope scope) {
  switch (scope) {
    case verify_scope::automatic:
      return "automatic";
    case verify_scope::whole:
      return "whole";
    case verify_scope::where:
      return "where";
    case verify_scope::keys:
      return "keys";
    case verify_scope::counts:
      return "counts";
  }
  return "unknown";
}

verify_report verify_job(const job& what, const plugin& reader_plugin, const plugin& writer_plugin,
                         const verify_settings& settings, verify_observer& observer,
                         const stop_signal& stop) {
  return verification(what, reader_plugin, writer_plugin, settings, observer, stop).run();
}

}  // namespace sluice
