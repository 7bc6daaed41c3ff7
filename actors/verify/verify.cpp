#include "actors/verify/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <thread>
#include <unordered_map>
#include <utility>

#include "actors/plan/mapping.h"
#include "actors/supervise/look.h"
#include "actors/supervise/make_ends.h"
#include "actors/verify/differences.h"
#include "actors/verify/reading_target.h"
#include "jobspec/words.h"
#include "plugins/api/sums_in_database.h"
#include "transport/base/text.h"
#include "transport/base/thrown.h"
#include "transport/record/canonical.h"

namespace sluice {
namespace {

/// What a record costs that is gathered: its hashes and its place in two tables.
constexpr std::uint64_t gathered_bytes = 128;
constexpr std::uint64_t gathered_least = 20'000;
/// How much of two long values that differ is shown before the first byte in which they do.
constexpr std::size_t shown_before_max = 40;

/// A value from this byte on, as it is shown.
std::optional<std::string> shown_from(const fetch_reading::value& v, std::size_t from) {
  if (!v.text || (from == 0 && v.text->size() == v.bytes)) {
    return v.text;
  }
  return from == 0 ? fmt::format("{}… ({} bytes)", *v.text, v.bytes)
                   : fmt::format("(of {} bytes, from byte {}) …{}", v.bytes, from + 1, v.text->substr(from));
}

/// Where the part of two values that is shown begins: at long ones shortly before the first byte that
/// differs.
std::size_t shown_begin(const fetch_reading::value& a, const fetch_reading::value& b) {
  if (!a.text || !b.text || std::max(a.text->size(), b.text->size()) <= shown_bytes_max) {
    return 0;
  }
  const auto differ = std::mismatch(a.text->begin(), a.text->end(), b.text->begin(), b.text->end()).first;
  auto from = static_cast<std::size_t>(differ - a.text->begin());
  from -= std::min(from, shown_before_max);
  while (from > 0 && (static_cast<unsigned char>((*a.text)[from]) & 0xC0u) == 0x80u) {
    --from;  // not inside of a character
  }
  return from;
}

/// The job with nothing that would judge what is read.
job for_reading(const job& what) {
  job out = what;
  out.errors = {};
  out.expect = {};
  out.order_compared = true;
  out.delivery = {};  // of what is only read nothing is delivered
  return out;
}

bool is_number(type_id id) {
  return id == type_id::int64 || id == type_id::uint64 || id == type_id::decimal ||
         id == type_id::decimal_text;
}

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

/// An end whose database computes the sums.
struct summing_end {
  std::shared_ptr<source> open;
  sums_in_database* by = nullptr;  ///< The same object.
  std::vector<summed_column> columns;
};

/// Everything of one call of `verify_job`.
class verification {
 public:
  verification(const job& what, const plugin& reader_plugin, const plugin& writer_plugin,
               const verify_settings& settings, verify_observer& observer, const stop_signal& stop)
      : what_(what),
        reader_plugin_(reader_plugin),
        writer_plugin_(writer_plugin),
        settings_(settings),
        observer_(observer),
        stop_(stop) {}

  verify_report run() {
    if (auto done = verify(); !done) {
      report_.what = verify_report::verdict::failed;
      report_.failure = std::move(done).error();
    }
    return std::move(report_);
  }

 private:
  result<void> verify() {
    SLUICE_CHECK(look());
    SLUICE_CHECK(choose_reading());
    SLUICE_CHECK(choose_columns());
    SLUICE_CHECK(choose_key());
    say_what_it_proves();
    choose_sums();
    observer_.planned(report_);
    if (settings_.plan_only) {
      report_.what = verify_report::verdict::planned;
      return {};
    }
    return compare();
  }

  result<void> look();
  result<void> choose_reading();
  /// The job that reads the destination again, and what its source says of itself.
  result<void> open_reading_back(verify_scope scope);
  result<void> choose_columns();
  result<void> compare_texts();
  result<void> choose_key();
  void say_what_it_proves();
  /// Whether the databases can compute the sums, and in which forms.
  void choose_sums();
  result<std::string> sums_agreed();
  /// True: they are equal, and all is said. Whatever else they tell, both ends are then read.
  result<bool> compare_in_databases();
  result<void> compare();
  result<void> find_differences(std::vector<bool> differ);
  result<void> name_differences(const std::vector<key_difference>& found);
  void judge();

  [[nodiscard]] end_settings ends_given() const;
  [[nodiscard]] bool names_alike() const;
  [[nodiscard]] std::string record_text(const fetch_reading::record& r) const;

  /// The values of its key, or all, as one text that is another for each record.
  [[nodiscard]] std::string identity_of(const fetch_reading::record& r) const;
  void know_refused();
  std::string take_refusal(const fetch_reading::record* r);

  enum class side { source, destination };
  result<run_summary> read(side which, std::shared_ptr<row_reading> into);

  const job& what_;
  const plugin& reader_plugin_;
  const plugin& writer_plugin_;
  const verify_settings& settings_;
  verify_observer& observer_;
  const stop_signal& stop_;

  verify_report report_;
  job_look look_;
  bool empties_ = false;
  job from_;  // reads the source
  job back_;  // reads the destination
  read_back how_;
  source_description back_columns_;
  std::shared_ptr<source> back_end_;  // the destination, open, until it is known how it is compared
  summing_end summed_source_, summed_destination_;
  schema_ptr written_;  // the columns that the job writes
  std::shared_ptr<compared_columns> by_ = std::make_shared<compared_columns>();       // of the source
  std::shared_ptr<compared_columns> back_by_ = std::make_shared<compared_columns>();  // of the destination
  std::optional<key_set> keys_;  // of the source, where rows of others stand at the destination
  std::shared_ptr<tally_reading> source_, destination_;
  std::unordered_multimap<std::string, std::string> refused_;  // code by `identity_of`
  unsigned readings_ = 0;
};

end_settings verification::ends_given() const {
  end_settings given;
  given.time_zone = settings_.time_zone;
  given.memory_bytes = settings_.memory_bytes;
  given.run = settings_.run;
  given.resolve_secret = settings_.resolve_secret;
  given.guard = settings_.guard;
  given.warn = [](const std::string&) {};
  return given;
}

/// What the job does at its destination, and the columns that it has there once its steps have run.
result<void> verification::look() {
  look_settings looking;
  looking.time_zone = settings_.time_zone;
  looking.memory_bytes = settings_.memory_bytes;
  looking.resolve_secret = settings_.resolve_secret;
  looking.guard = settings_.guard;
  looking.plan_splits = false;
  const job_look as_written = look_at(what_, reader_plugin_, writer_plugin_, looking, stop_);
  empties_ = as_written.target.what.empties || as_written.target.what.appears_whole;
  job without_steps = what_;
  without_steps.writer.parameter = what_.writer.parameter.changed(
      {{"preSql", nlohmann::json::array()}, {"postSql", nlohmann::json::array()}},
      writer_plugin_.writes->options);
  look_ = look_at(without_steps, reader_plugin_, writer_plugin_, looking, stop_);
  if (look_.target.what.name.empty() || (look_.failure && look_.wrong_job)) {
    report_.wrong_job = look_.wrong_job;
    return fail(look_.failure.value_or(
        error{error_kind::internal, "the destination says nothing of itself", "", false}));
  }
  const target_description& to = look_.target.what;
  if (look_.map != nullptr) {
    written_ = look_.map->target;
  } else if (to.columns != nullptr || !to.names.empty() || look_.source.columns == nullptr) {
    return fail(look_.failure.value_or(error{error_kind::internal, "the source has no columns", "", false}));
  } else {
    // It takes whatever comes. What else is in the way of a run, such as one at work, is not in ours.
    SLUICE_TRY(auto zone, time_zone::find(settings_.time_zone));
    SLUICE_TRY(const auto behind, columns_behind_transformers(what_, look_.source.columns,
                                                              conversion_of(what_, std::move(zone))));
    written_ = columns_without(behind, look_.target.what.left_out);
  }
  for (const run_row& row : look_.target.runs) {
    if (row.stage != "done" && row.job_key == what_.key && row.run != settings_.run) {
      report_.notes.push_back(fmt::format(
          "Run {} of this job is not done, so that records may be missing; run the job to its end first.",
          row.run.text()));
      break;
    }
  }
  report_.source.name = what_.reader.plugin;
  report_.destination.name = look_.target.what.name;
  return {};
}

bool verification::names_alike() const {
  if (look_.map == nullptr) {
    return false;
  }
  const schema& from = *look_.map->between;
  const schema& to = *written_;
  return what_.transformers.empty() &&
         std::equal(from.begin(), from.end(), to.begin(), to.end(),
                    [](const field& a, const field& b) { return lower(a.name) == lower(b.name); });
}

result<void> verification::open_reading_back(verify_scope scope) {
  std::vector<std::string> columns;
  for (const field& f : *written_) {
    columns.push_back(f.name);
  }
  SLUICE_TRY(how_, writer_plugin_.read_back_of(what_.writer.parameter, columns));
  if (scope == verify_scope::where) {
    SLUICE_TRY(const auto where, what_.reader.parameter.text("where"));
    how_.changes["where"] = where.value_or("");
  }
  back_ = for_reading(what_);
  back_.reader = what_.writer;
  back_.reader.parameter = what_.writer.parameter.changed(how_.changes, writer_plugin_.reads->options);
  back_.transformers.clear();
  back_.compat = compat_mode::exact;
  SLUICE_TRY(auto ends, make_source_end(back_, writer_plugin_, ends_given()));
  SLUICE_TRY(back_columns_, ends.from->open(stop_));
  back_end_ = ends.from;
  if (back_columns_.columns->size() != columns.size()) {
    return fail(error_kind::source_changed, "{}: the destination has {} of the {} columns that are compared",
                what_.writer.place, back_columns_.columns->size(), columns.size());
  }
  return {};
}

/// The scope, as asked or as what the job does makes it, and with it how the destination is read.
result<void> verification::choose_reading() {
  if (writer_plugin_.read_back_of == nullptr || writer_plugin_.reads == nullptr) {
    return fail(error_kind::denied,
                "{}: what {} writes cannot be read again, so that there is nothing to compare",
                what_.writer.place, what_.writer.type_text);
  }
  from_ = for_reading(what_);
  const bool has_where = what_.reader.parameter.has("where");
  verify_scope scope = settings_.scope;
  if (scope == verify_scope::automatic) {
    scope = empties_ ? verify_scope::whole
            // A run proves what it has written; what else fits its where is not its business.
            : has_where && names_alike() && !settings_.trusts_run ? verify_scope::where
                                                                  : verify_scope::keys;
  } else if (scope == verify_scope::where && !has_where) {
    return fail(error_kind::bad_option, "{}: --scope where, and the job has none; leave the flag out",
                what_.reader.place);
  }
  auto opened = open_reading_back(scope);
  if (scope == verify_scope::where && (!opened || !how_.takes_where)) {
    if (settings_.scope == verify_scope::where) {
      return opened ? fail(error_kind::bad_option,
                           "{}: --scope where, and {} has no \"where\"; try --scope keys", what_.writer.place,
                           what_.writer.type_text)
                    : fail(error_kind::bad_option,
                           "the job's \"where\" cannot be asked of the destination: {}; try --scope keys",
                           opened.error().message);
    }
    report_.notes.push_back(fmt::format(
        "The job's \"where\" cannot be asked of the destination, so that rows beside those of the source are "
        "only counted{}.",
        opened ? "" : ": " + opened.error().message));
    scope = verify_scope::keys;
    opened = open_reading_back(scope);
  }
  SLUICE_CHECK(opened);
  report_.scope = scope;
  return {};
}

/// Which columns can be compared, and how.
result<void> verification::choose_columns() {
  if (how_.text_of) {
    return compare_texts();
  }
  const schema& from = look_.map == nullptr ? *written_ : *look_.map->between;
  const schema& to = *written_;
  auto columns = std::make_shared<schema>(to);
  for (std::uint32_t i = 0; i < to.size(); ++i) {
    field& f = (*columns)[i];
    f.nullable = true;
    f.holds_text = true;
    f.own_form.clear();
    const field& back = (*back_columns_.columns)[i];
    const bool foreign = to[i].type.id == type_id::utf8 && !to[i].holds_text &&
                         from[i].source_type_name != to[i].source_type_name;
    if (foreign && is_number(back.type.id)) {
      f.type = back.type;  // a text that the server has made a number of is compared as one
    }
    if (lookup_conversion(back.type, f.type).kind == conversion_kind::refused) {
      report_.notes.push_back(fmt::format("Column {} is not compared: it is written as {} and read as {}.",
                                          in_quotes(f.name), to_string(f.type), to_string(back.type)));
      // It is read, and left alone.
      f = back;
      f.nullable = true;
      if (lookup_conversion(from[i].type, f.type).kind == conversion_kind::refused) {
        f.type = from[i].type;
      }
      continue;
    }
    if (foreign && !is_number(f.type.id)) {
      report_.notes.push_back(
          fmt::format("Column {} is not compared: the server writes a text of {} as {} in its own way.",
                      in_quotes(f.name), to_string(from[i].type), to[i].source_type_name));
      continue;
    }
    if (f.type.id == type_id::utf8 &&
        (to[i].source_type_name.starts_with("character(") || to[i].source_type_name.starts_with("char("))) {
      by_->padded.push_back(i);
    }
    by_->taken.push_back(i);
  }
  by_->columns = columns;
  if (by_->taken.empty() && report_.scope != verify_scope::counts) {
    report_.notes.emplace_back("No column can be compared.");
    report_.scope = verify_scope::counts;
  }
  back_by_ = by_;
  return {};
}

/// Of files: every value as the text that stands there.
result<void> verification::compare_texts() {
  SLUICE_TRY(const auto zone, time_zone::find(settings_.time_zone));
  by_->columns = written_;
  back_by_->columns = back_columns_.columns;
  for (std::uint32_t i = 0; i < written_->size(); ++i) {
    SLUICE_TRY(by_->texts.emplace_back(), how_.text_of((*written_)[i], zone));
    SLUICE_TRY(back_by_->texts.emplace_back(), how_.text_of((*back_columns_.columns)[i], zone));
    by_->taken.push_back(i);
  }
  back_by_->taken = by_->taken;
  report_.notes.emplace_back(
      "Values are compared as the texts that stand in the files; a heading line is not compared.");
  return {};
}

/// The columns by which a record is known: as asked, else the destination's primary key, else the source's.
result<void> verification::choose_key() {
  const schema& to = *by_->columns;
  std::vector<std::uint32_t> key;
  for (const std::string& name : settings_.key) {
    const auto same = [&](const field& f) { return f.name == name; };
    const auto like = [&](const field& f) { return lower(f.name) == lower(name); };
    auto at = std::find_if(to.begin(), to.end(), same);
    at = at == to.end() ? std::find_if(to.begin(), to.end(), like) : at;
    if (at == to.end()) {
      return fail(error_kind::bad_option, "--key: the job writes no column {}; its columns are {}",
                  in_quotes(name), columns_text(to));
    }
    key.push_back(static_cast<std::uint32_t>(at - to.begin()));
  }
  const auto in_key = [&](std::size_t i) { return std::find(key.begin(), key.end(), i) != key.end(); };
  if (!key.empty() && how_.rows != read_back::standing::every_record && back_columns_.table != nullptr) {
    const std::vector<std::size_t>& own = back_columns_.table->key;
    if (!std::all_of(own.begin(), own.end(), in_key)) {
      return fail(
          error_kind::bad_option,
          "--key: several rows of the destination may share it, since its primary key has other columns; "
          "leave the flag out, or name all columns of that key");
    }
  }
  if (key.empty() && back_columns_.table != nullptr) {
    key.assign(back_columns_.table->key.begin(), back_columns_.table->key.end());
  }
  if (key.empty() && look_.source.table != nullptr && what_.transformers.empty() &&
      look_.target.what.left_out.empty()) {
    key.assign(look_.source.table->key.begin(), look_.source.table->key.end());
  }
  for (const std::uint32_t i : key) {
    if (std::find(by_->taken.begin(), by_->taken.end(), i) == by_->taken.end()) {
      report_.notes.push_back(fmt::format(
          "Column {} of the key cannot be compared, so that records are known by all their values.",
          in_quotes(to[i].name)));
      key.clear();
      break;
    }
  }
  by_->key = key;
  back_by_->key = key;
  for (const std::uint32_t i : key) {
    report_.key += (report_.key.empty() ? "" : ", ") + to[i].name;
  }
  if (key.empty() && how_.rows != read_back::standing::every_record &&
      report_.scope != verify_scope::counts) {
    return fail(error_kind::bad_option,
                "{}: records that share a key are one row here, and which columns are the key is not known; "
                "say it: --key COLUMN[,COLUMN]",
                what_.writer.parameter.place("writeMode"));
  }
  return {};
}

void verification::say_what_it_proves() {
  const std::string records =
      how_.rows == read_back::standing::any_a_key
          ? fmt::format(
                "that a row with the key ({}) of each record of the source stands at the destination; "
                "not its values, since the write mode keeps rows that were there",
                report_.key)
      : how_.rows == read_back::standing::last_a_key
          ? fmt::format(
                "that each key ({}) of the source stands at the destination with the values of a record "
                "of that key",
                report_.key)
          : "that each record of the source stands at the destination, as often as there";
  switch (report_.scope) {
    case verify_scope::automatic:
    case verify_scope::whole:
      report_.proves = fmt::format("The whole table: {}, and nothing else.", records);
      break;
    case verify_scope::where:
      report_.proves = fmt::format(
          "The rows that the job's where chooses at both ends: {}, and nothing else among them.", records);
      break;
    case verify_scope::keys:
      report_.proves = fmt::format(
          "The records read: {}. What else stands there is counted, and no difference: the job does not "
          "empty "
          "its destination.",
          records);
      break;
    case verify_scope::counts:
      report_.proves = "The number of records alone.";
      break;
  }
  if (!by_->padded.empty()) {
    report_.notes.emplace_back("Blanks at the end of columns of type char(n) are not compared.");
  }
  if (!what_.transformers.empty()) {
    report_.notes.emplace_back("The source is compared as the job's transformers leave it.");
  }
  report_.form = by_->is_whole() ? std::string(canonical_name)
                                 : fmt::format("{} over the columns compared", canonical_name);
}

/// The forms in which both databases write each column that is compared; nothing, or why they do not.
result<std::string> verification::sums_agreed() {
  if (settings_.reads_back) {
    return std::string("it was asked for");
  }
  if (report_.scope == verify_scope::keys) {
    return std::string("rows beside those of the source may stand at the destination");
  }
  if (!by_->texts.empty() || dynamic_cast<sums_in_database*>(back_end_.get()) == nullptr) {
    return fmt::format("{} computes none", what_.writer.type_text);
  }
  if (!what_.transformers.empty()) {
    return std::string("the job has transformers");
  }
  const conversion_context conversion = conversion_of(what_, nullptr);
  if (conversion.as_datax || conversion.empty_as_null) {
    return std::string("the job changes values on their way");
  }
  SLUICE_TRY(auto ends, make_source_end(from_, reader_plugin_, ends_given()));
  auto* from = dynamic_cast<sums_in_database*>(ends.from.get());
  if (from == nullptr) {
    return fmt::format("{} computes none", what_.reader.type_text);
  }
  SLUICE_CHECK(ends.from->open(stop_));
  auto* back = dynamic_cast<sums_in_database*>(back_end_.get());
  SLUICE_TRY(const auto there, from->summable_columns());
  SLUICE_TRY(const auto here, back->summable_columns());
  std::vector<std::size_t> read;  // of the source, in the order of what is written
  const std::vector<std::size_t>& left_out = look_.target.what.left_out;
  for (std::size_t i = 0; i < there.size(); ++i) {
    if (std::find(left_out.begin(), left_out.end(), i) == left_out.end()) {
      read.push_back(i);
    }
  }
  if (read.size() != by_->columns->size() || here.size() != read.size()) {
    return std::string("the ends have other columns than the job writes");
  }
  summing_end source{ends.from, from, {}};
  summing_end destination{back_end_, back, {}};
  for (const std::uint32_t i : by_->taken) {
    if (report_.scope == verify_scope::counts) {
      break;
    }
    const bool padded = std::find(by_->padded.begin(), by_->padded.end(), i) != by_->padded.end();
    const sql_column& a = there[read[i]];
    const sql_column& b = here[i];
    const auto common = std::find_if(a.forms.begin(), a.forms.end(), [&](sql_form form) {
      return std::find(b.forms.begin(), b.forms.end(), form) != b.forms.end() &&
             (form == sql_form::unpadded_text) == padded;
    });
    if (common == a.forms.end()) {
      return a.type == b.type ? fmt::format("column {} is {}", in_quotes((*by_->columns)[i].name), a.type)
                              : fmt::format("column {} is {} at the source and {} at the destination",
                                            in_quotes((*by_->columns)[i].name), a.type, b.type);
    }
    source.columns.push_back({read[i], *common});
    destination.columns.push_back({i, *common});
  }
  summed_source_ = std::move(source);
  summed_destination_ = std::move(destination);
  return std::string();
}

void verification::choose_sums() {
  const auto agreed = sums_agreed();
  const std::string why = agreed ? *agreed : agreed.error().message;
  report_.sums_by = why.empty() ? fmt::format("computed in the databases ({})", sql_form_name)
                                : fmt::format("read back, because {}", why);
  back_end_.reset();  // and with it what it holds at its server
}

result<bool> verification::compare_in_databases() {
  if (summed_source_.by == nullptr) {
    return false;
  }
  summing_end source = std::exchange(summed_source_, {});
  summing_end destination = std::exchange(summed_destination_, {});
  const auto sum = [this](summing_end& end) -> result<database_sums> {
    auto sums = end.by->sum_records(end.columns, stop_);
    if (sums) {
      SLUICE_CHECK(end.open->check_unchanged(stop_));
    }
    return sums;
  };
  // Both at a time, so that neither end's snapshot and connection wait for the other's table.
  result<database_sums> there = fail(error_kind::internal, "not summed");
  std::thread beside([&] { there = caught([&] { return sum(destination); }); });
  const result<database_sums> from = sum(source);
  beside.join();
  source = {};
  destination = {};
  const auto read_on = [&](std::string why) {
    report_.sums_by = fmt::format("read back, because {}", why);
    observer_.notice(notice_level::info, fmt::format("Both ends are read: {}.", why));
    return false;
  };
  for (const result<database_sums>* one : {&from, &std::as_const(there)}) {
    if (!*one && (one->error().kind == error_kind::cancelled || stop_.fired())) {
      return fail(one->error());
    }
    if (!*one) {
      return read_on(fmt::format("a database could not compute the sums: {}", one->error().message));
    }
  }
  if (from->records != there->records || from->sum != there->sum) {
    return read_on(
        fmt::format("the sums that the databases computed differ ({} records at the source, {} at "
                    "the destination)",
                    with_thousands(from->records), with_thousands(there->records)));
  }
  if (settings_.trusts_run && settings_.before && how_.rows == read_back::standing::every_record &&
      there->records < settings_.before->records) {
    return read_on("fewer records stand there than the run has written");
  }
  report_.before = settings_.before;
  report_.source.records = report_.destination.records = from->records;
  report_.source.sum = report_.destination.sum = from->sum;
  report_.form = by_->taken.size() == by_->columns->size()
                     ? std::string(sql_form_name)
                     : fmt::format("{} over the columns compared", sql_form_name);
  report_.what = verify_report::verdict::equal;
  return true;
}

result<run_summary> verification::read(side which, std::shared_ptr<row_reading> into) {
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
        ends.to = make_reading_target(source ? by_ : back_by_, std::move(into), "what is compared",
                                      source ? look_.target.what.left_out : std::vector<std::size_t>());
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
  const bool others = report_.scope == verify_scope::keys;
  if (settings_.trusts_run && settings_.before && by_->is_whole() && report_.scope != verify_scope::counts) {
    auto there = std::make_shared<tally_reading>();
    SLUICE_TRY(const run_summary back, read(side::destination, there));
    const written_by_run& run = *settings_.before;
    if (back.counts.dirty == 0 && there->all().rows == run.records && there->all().sum == run.sum) {
      report_.before = run;
      report_.source.records = report_.destination.records = run.records;
      report_.source.sum = report_.destination.sum = run.sum;
      report_.what = verify_report::verdict::equal;
      return {};
    }
  }
  // A quarter of the budget; readers and buffers hold nothing for a destination here.
  const std::uint64_t keys_max = others ? settings_.memory_bytes / 4 / sizeof(key_set::value_type) : 0;
  source_ = std::make_shared<tally_reading>(keys_max);
  SLUICE_TRY(const run_summary from, read(side::source, source_));
  if (others) {
    keys_ = source_->take_keys();
    if (!keys_) {
      return fail(error_kind::no_room,
                  "the source has {} records, and the keys of {} are all that --memory {} has room for; give "
                  "more, or --scope whole where the destination holds nothing else",
                  with_thousands(source_->all().rows), with_thousands(keys_max),
                  bytes_text(settings_.memory_bytes));
    }
  }
  destination_ = std::make_shared<tally_reading>(0, keys_ ? &*keys_ : nullptr);
  SLUICE_TRY(const run_summary back, read(side::destination, destination_));
  report_.source.refused = from.counts.dirty;
  report_.destination.refused = back.counts.dirty;
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
  if (report_.scope != verify_scope::counts) {
    std::vector<bool> differ(heap_count);
    for (std::uint32_t i = 0; i < heap_count; ++i) {
      differ[i] = source_->all().heaps[i] != there.heaps[i];
    }
    const bool any = std::find(differ.begin(), differ.end(), true) != differ.end();
    SLUICE_CHECK(find_differences(std::move(differ)));
    const bool found = report_.missing + report_.extra + report_.different != 0;
    if (any && !found && how_.rows == read_back::standing::every_record) {
      return fail(
          error_kind::source_changed,
          "an end changed while it was compared: both differed when they were read first, and not any more "
          "when they were read again; compare once more when they are at rest");
    }
  } else if (report_.source.records != report_.destination.records) {
    report_.missing = report_.source.records - std::min(report_.source.records, report_.destination.records);
    report_.extra =
        report_.destination.records - std::min(report_.source.records, report_.destination.records);
  }
  judge();
  return {};
}

/// Reads both sides again, and of the heaps that differ all records: as many at a time as there is room for.
result<void> verification::find_differences(std::vector<bool> differ) {
  const std::uint64_t room = std::max(gathered_least, settings_.memory_bytes / 4 / gathered_bytes);
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

std::string verification::record_text(const fetch_reading::record& r) const {
  std::string text;
  for (std::size_t i = 0; i < by_->taken.size(); ++i) {
    const bool in_key = std::find(by_->key.begin(), by_->key.end(), by_->taken[i]) != by_->key.end();
    if (!by_->key.empty() && !in_key) {
      continue;
    }
    const auto& value = r.values[i].text;
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", escaped((*by_->columns)[by_->taken[i]].name),
                        value ? escaped(*value) : "NULL");
  }
  return text;
}

/// Of files by the key: what stands in a dirty record is the value, not the text that a file would have.
std::string verification::identity_of(const fetch_reading::record& r) const {
  const bool by_key = !by_->texts.empty() && !by_->key.empty();
  std::string text;
  for (std::size_t i = 0; i < by_->taken.size(); ++i) {
    if (!by_key || std::find(by_->key.begin(), by_->key.end(), by_->taken[i]) != by_->key.end()) {
      text += fmt::format("{:016x}", r.values[i].hash);
    }
  }
  return text;
}

/// A refused record has its values by the destination's columns where the destination itself has refused it.
void verification::know_refused() {
  for (const refused_record& one : settings_.refused) {
    fetch_reading::record r;
    for (const std::uint32_t i : by_->taken) {
      const auto at = std::find_if(one.fields.begin(), one.fields.end(),
                                   [&](const auto& f) { return f.first == (*by_->columns)[i].name; });
      auto text = at == one.fields.end() ? std::nullopt : at->second;
      if (text && std::find(by_->padded.begin(), by_->padded.end(), i) != by_->padded.end()) {
        text->resize(text->find_last_not_of(' ') + 1);
      }
      r.values.push_back(fetch_reading::kept(std::move(text)));
    }
    refused_.emplace(identity_of(r), one.code);
  }
}

/// The code of the run's refusal of this record, which tells of one record only; empty: it was not refused.
std::string verification::take_refusal(const fetch_reading::record* r) {
  const auto at = r == nullptr ? refused_.end() : refused_.find(identity_of(*r));
  if (at == refused_.end()) {
    return {};
  }
  std::string code = std::move(at->second);
  refused_.erase(at);
  return code;
}

/// Reads both sides once more for the values of what differs.
result<void> verification::name_differences(const std::vector<key_difference>& found) {
  if (found.empty()) {
    return {};
  }
  know_refused();
  fetch_reading::keys wanted;
  for (const key_difference& one : found) {
    wanted.insert(one.key);
  }
  const auto left = std::make_shared<fetch_reading>(wanted, by_);
  const auto right = std::make_shared<fetch_reading>(wanted, by_);
  SLUICE_CHECK(read(side::source, left));
  SLUICE_CHECK(read(side::destination, right));
  const auto records_of = [](const fetch_reading& from, row_sum key) {
    const auto at = from.records().find(key);
    return at == from.records().end() ? std::vector<fetch_reading::record>() : at->second;
  };
  const auto with_row = [](const std::vector<fetch_reading::record>& of,
                           row_sum row) -> const fetch_reading::record* {
    const auto at = std::find_if(of.begin(), of.end(), [&](const auto& r) { return r.row == row; });
    return at == of.end() ? nullptr : &*at;
  };
  const auto text_of = [&](const fetch_reading::record* r) {
    return r == nullptr ? std::string("(gone while it was compared)") : record_text(*r);
  };
  for (const key_difference& one : found) {
    const auto at_source = records_of(*left, one.key);
    const auto at_destination = records_of(*right, one.key);
    gather_reading::rows_of_key source = one.source;
    gather_reading::rows_of_key destination = one.destination;
    while (!by_->key.empty() && !source.empty() && !destination.empty()) {
      verify_difference d;
      d.what = verify_difference::kind::different;
      const auto* a = with_row(at_source, source.back().first);
      const auto* b = with_row(at_destination, destination.back().first);
      d.record = text_of(a != nullptr ? a : b);
      // Where the job has emptied its destination, nobody else's row stands in the way.
      d.refused_as = report_.scope == verify_scope::keys ? take_refusal(a) : std::string();
      for (std::size_t i = 0; a != nullptr && b != nullptr && i < by_->taken.size(); ++i) {
        if (a->values[i] != b->values[i]) {
          const std::size_t from = shown_begin(a->values[i], b->values[i]);
          d.values.push_back({(*by_->columns)[by_->taken[i]].name, shown_from(a->values[i], from),
                              shown_from(b->values[i], from)});
        }
      }
      report_.differences.push_back(std::move(d));
      for (auto* rows : {&source, &destination}) {
        if (--rows->back().second == 0) {
          rows->pop_back();
        }
      }
    }
    for (const auto& [row, times] : source) {
      const auto* r = with_row(at_source, row);
      std::uint64_t there = 0;
      for (const auto& [other, n] : one.destination) {
        there += other == row ? n : 0;
      }
      report_.differences.push_back({verify_difference::kind::missing,
                                     text_of(r),
                                     {},
                                     times,
                                     there,
                                     times == 1 ? take_refusal(r) : ""});
    }
    for (const auto& [row, times] : destination) {
      report_.differences.push_back(
          {verify_difference::kind::extra, text_of(with_row(at_destination, row)), {}, 0, times, {}});
    }
  }
  std::sort(report_.differences.begin(), report_.differences.end(), [](const auto& a, const auto& b) {
    return a.record.size() != b.record.size() ? a.record.size() < b.record.size() : a.record < b.record;
  });
  if (report_.differences.size() > settings_.differences_max) {
    report_.differences.resize(settings_.differences_max);
  }
  return {};
}

void verification::judge() {
  const auto& before = settings_.before;
  // Whatever the source has by now: less stands there than the run has written.
  const bool lost = settings_.trusts_run && how_.rows == read_back::standing::every_record &&
                    destination_->all().rows < before->records;
  report_.before = before;
  const bool readable = report_.destination.refused == 0;
  const std::uint64_t differ = report_.missing + report_.extra + report_.different;
  if (differ == 0 && readable && !lost && report_.source.refused == 0) {
    report_.what = verify_report::verdict::equal;
    return;
  }
  const bool as_written = before && by_->is_whole() && report_.scope != verify_scope::counts && readable &&
                          report_.destination.records == before->records &&
                          report_.destination.sum == before->sum;
  const bool all_refused = before && report_.counted_all && readable && !lost &&
                           report_.differences.size() == differ &&
                           report_.source.refused + differ <= before->dirty &&
                           std::all_of(report_.differences.begin(), report_.differences.end(),
                                       [](const auto& d) { return !d.refused_as.empty(); });
  report_.what = as_written    ? verify_report::verdict::equal_to_run
                 : all_refused ? verify_report::verdict::equal_but_refused
                               : verify_report::verdict::different;
}

}  // namespace

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
