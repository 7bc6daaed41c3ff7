#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "actors/plan/mapping.h"
#include "actors/plan/own_encoding.h"
#include "actors/verify/verification.h"
#include "jobspec/words.h"
#include "plugins/api/sums_in_database.h"
#include "transport/base/text.h"
#include "transport/record/canonical.h"

namespace sluice {
namespace {

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

}  // namespace

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
    report_.wrong_job = true;
    return fail(error_kind::not_supported,
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
    report_.wrong_job = true;
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
  if (look_.map != nullptr) {
    own_ = columns_in_own_bytes(*look_.map, look_.target.what.takes_own);
  }
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
    // Under the same name MySQL's JSON is written anew by its server, and another product's is its text.
    const bool other_json =
        what_.reader.plugin != what_.writer.plugin && lower(to[i].source_type_name) == "json";
    const bool foreign = to[i].type.id == type_id::utf8 && !to[i].holds_text &&
                         (other_json || from[i].source_type_name != to[i].source_type_name);
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
    if (is_padded(f)) {
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

/// Fails with the reason for people where both ends are read.
result<summed_ends> verification::sums_agreed() {
  const auto no = [](const std::string& why) { return fail(error_kind::not_supported, "{}", why); };
  if (settings_.reads_back) {
    return no("it was asked for");
  }
  if (report_.scope == verify_scope::keys) {
    return no("rows beside those of the source may stand at the destination");
  }
  if (!by_->texts.empty() || dynamic_cast<sums_in_database*>(back_end_.get()) == nullptr) {
    return no(fmt::format("{} computes none", what_.writer.type_text));
  }
  if (!what_.transformers.empty()) {
    return no("the job has transformers");
  }
  const conversion_context conversion = conversion_of(what_, nullptr);
  if (conversion.as_datax || conversion.empty_as_null) {
    return no("the job changes values on their way");
  }
  SLUICE_TRY(auto ends, make_source_end(from_, reader_plugin_, ends_given()));
  if (dynamic_cast<sums_in_database*>(ends.from.get()) == nullptr) {
    return no(fmt::format("{} computes none", what_.reader.type_text));
  }
  SLUICE_TRY(const source_description described, ends.from->open(stop_));
  const std::vector<std::size_t>& left_out = look_.target.what.left_out;
  std::vector<std::size_t> read;
  for (std::size_t i = 0; i < described.columns->size(); ++i) {
    if (std::find(left_out.begin(), left_out.end(), i) == left_out.end()) {
      read.push_back(i);
    }
  }
  return summed_ends::make(ends.from, back_end_, read, *by_, report_.scope == verify_scope::counts);
}

void verification::choose_sums() {
  auto agreed = sums_agreed();
  if (agreed) {
    report_.sums_by = fmt::format("computed in the databases ({})", sql_form_name);
    if (report_.scope != verify_scope::counts) {
      report_.ranges.why_none = how_.rows == read_back::standing::any_a_key
                                    ? "the write mode keeps rows that were there"
                                    : agreed->why_no_ranges();
      report_.ranges.by =
          report_.ranges.why_none.empty() ? (*by_->columns)[by_->key.front()].name : std::string();
    }
    sums_ = std::move(*agreed);
  } else {
    report_.sums_by = fmt::format("read back, because {}", agreed.error().message);
  }
  back_end_.reset();  // and with it what it holds at its server
}

}  // namespace sluice
