#include "jobspec/settings.h"

#include <algorithm>
#include <utility>

#include "jobspec/check_options.h"
#include "jobspec/dialect_rules.h"
#include "jobspec/setting_options.h"
#include "jobspec/words.h"
#include "transport/base/text.h"

namespace sluice {

using nlohmann::json;

bool column_formats::encoding_is_utf8() const {
  const std::string name = lower(trimmed(encoding.value_or("")));
  return name.empty() || name == "utf-8" || name == "utf8";
}

namespace {

constexpr const char* script2_concurrent = "concurrent";
constexpr std::uint32_t concurrent_max = 256;
constexpr std::uint32_t distribute_concurrent_min = 8;
constexpr std::uint64_t bytes_per_mb = 1'048'576;  // 1 mbps is 1 MiB a second (job-formats 5.3).

/// The value, or nothing where there is none or it is wrong: `check_options` has reported that already.
template <class T>
std::optional<T> value_of(const result<std::optional<T>>& answer) {
  return answer ? *answer : std::nullopt;
}

option_values group(const option_values& setting, std::string_view name) {
  auto found = setting.object(name);
  return found ? std::move(*found) : option_values();
}

void read_error_limit(const option_values& limit, error_limit& to, findings& out) {
  const auto record = value_of(limit.integer("record"));
  const auto percentage = value_of(limit.number("percentage"));
  const auto strategy = value_of(limit.text("strategy"));
  const auto disagree = [&](std::string_view cure) {
    out.error(limit.path(), fmt::format("\"strategy\" {} and \"record\" {} do not agree; {}",
                                        in_quotes(*strategy), *record, cure));
  };
  if (strategy == "Tolerance" && !record && !limit.has("record")) {
    out.error(limit.path(), "\"strategy\" \"Tolerance\" needs \"record\", the number of dirty records borne");
  } else if (strategy == "Tolerance" && record == 0) {
    disagree("give a \"record\" of at least 1, or \"ZeroTolerance\"");
  } else if (strategy == "ZeroTolerance" && record.value_or(0) != 0) {
    disagree("\"ZeroTolerance\" means 0, so keep one of them");
  } else if (strategy == "Ignore" && record) {
    disagree("\"Ignore\" means any number, so keep one of them");
  }
  if (record) {
    to.records = static_cast<std::uint64_t>(*record);
    to.place = limit.place("record");
  } else if (strategy == "ZeroTolerance") {
    to.records = 0;
    to.place = limit.place("strategy");
  } else if (percentage && strategy != "Ignore") {
    to.ratio = percentage;
    to.place = limit.place("percentage");
  }
}

void read_expect(const option_values& expect, expectation& to, findings& out) {
  const auto least = value_of(expect.integer("min_records"));
  const auto greatest = value_of(expect.integer("max_records"));
  to.max_dirty_ratio = value_of(expect.number("max_dirty_ratio"));
  if (least) {
    to.min_records = static_cast<std::uint64_t>(*least);
    to.min_records_place = expect.place("min_records");
  }
  if (greatest) {
    to.max_records = static_cast<std::uint64_t>(*greatest);
    to.max_records_place = expect.place("max_records");
  }
  if (to.max_dirty_ratio) {
    to.max_dirty_ratio_place = expect.place("max_dirty_ratio");
  }
  if (least && greatest && *least > *greatest) {
    out.error(expect.path(),
              fmt::format("\"min_records\" {} is more than \"max_records\" {}, so every run would fail",
                          *least, *greatest));
  }
}

void read_delivery(const option_values& setting, delivery_settings& to, findings& out) {
  const auto mode = value_of(setting.text("delivery"));
  if (mode && setting.has("delivery")) {
    to.mode_place = setting.place("delivery");
    to.mode = *mode == "exactly_once"    ? delivery_mode::exactly_once
              : *mode == "at_least_once" ? delivery_mode::at_least_once
                                         : delivery_mode::automatic;
  }
  const auto table = value_of(setting.text("progressTable"));
  if (!table || !setting.has("progressTable")) {
    return;
  }
  to.progress_table_place = setting.place("progressTable");
  const std::string name(trimmed(*table));
  to.no_marks = lower(name) == "none";
  to.progress_table = to.no_marks ? "" : name;
  if (name.empty()) {
    out.error(path_join(setting.path(), "progressTable"),
              "found an empty name; give the name that both tables begin with, such as \"ops.sluice\", or "
              "\"none\" for a run without marks, or leave it out");
  } else if (to.no_marks && to.mode == delivery_mode::exactly_once) {
    out.error(
        path_join(setting.path(), "delivery"),
        "\"exactly_once\" needs the marks that \"progressTable\" \"none\" takes away; keep one of them");
  }
}

void read_formats(const job_shape& shape, job& to, findings& out) {
  if (shape.common.value.is_null()) {
    return;
  }
  const option_values common(out.file(), shape.common.path, shape.common.value, out.places(),
                             common_options(), shape.form);
  // In 2.0 it is a member of the settings, which are checked as a whole.
  if (!shape.common.path.starts_with(shape.setting.path)) {
    if (!shape.common.value.is_object()) {
      out.error(shape.common.path, "expected an object");
    }
    check_options(common, common_options(), shape.common.path, out);
  }
  const option_values column = group(common, "column");
  to.time_zone = value_of(column.text("timeZone"));
  to.time_zone_place = column.place("timeZone");
  to.formats.datetime_format = value_of(column.text("datetimeFormat"));
  to.formats.date_format = value_of(column.text("dateFormat"));
  to.formats.time_format = value_of(column.text("timeFormat"));
  to.formats.encoding = value_of(column.text("encoding"));
  if (const auto extra = column.text_list("extraFormats"); extra && column.has("extraFormats")) {
    to.formats.extra_formats = *extra;
  }
  for (const char* key : {"datetimeFormat", "dateFormat", "timeFormat", "extraFormats", "encoding"}) {
    if (column.has(key)) {
      to.formats.places[key] = column.place(key);
    }
  }
}

std::optional<std::uint64_t> positive(std::optional<std::int64_t> n) {
  return n && *n > 0 ? std::optional(static_cast<std::uint64_t>(*n)) : std::nullopt;
}

/// `throttle` and `mbps` of 2.0: bytes a second for the whole job.
std::optional<std::uint64_t> read_throttle(const option_values& speed, findings& out) {
  const auto throttle = speed.boolean("throttle");
  // One that is neither true nor false has been refused; the speed beside it was meant to count.
  const bool meant = throttle ? throttle->value_or(false) : speed.has("mbps");
  if (!meant) {
    if (speed.has("mbps") && !speed.has("throttle")) {
      out.warning(path_join(speed.path(), "mbps"), "has no effect without \"throttle\": true");
    }
    return std::nullopt;
  }
  if (!speed.has("mbps")) {
    const std::string_view cure =
        "give \"mbps\" (MiB a second for the whole job) or set \"throttle\" to false";
    if (speed.has("dmu")) {
      // The official Sqoop template writes exactly this (job-formats 1.11 #16).
      out.warning(
          speed.path(),
          fmt::format("\"throttle\" is true but \"mbps\" is missing, so the run is not throttled; {}", cure));
    } else {
      out.error(speed.path(), fmt::format("\"throttle\" is true but \"mbps\" is missing; {}", cure));
    }
    return std::nullopt;
  }
  const auto mbps = speed.integer("mbps");
  if (!mbps) {
    out.error(mbps.error(), speed.position("mbps"));
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(**mbps) * bytes_per_mb;
}

void read_script2_speed(const option_values& setting, speed_limit& to, findings& out) {
  const option_values speed = group(setting, "speed");
  const auto concurrent = value_of(speed.integer("concurrent"));
  if (concurrent && speed.has("concurrent")) {
    to.concurrent = static_cast<std::uint32_t>(*concurrent);
    to.concurrent_reason =
        fmt::format("{}.{}", speed.path(), speed.json().contains("concurrent") ? "concurrent" : "channel");
  } else {
    to.concurrent = *script2_rules.concurrent_default;
    to.concurrent_reason = "default of 2.0";
  }
  to.bytes_per_second = read_throttle(speed, out);
  if (const auto byte = positive(value_of(speed.integer("byte")))) {
    to.bytes_per_second = std::min(*byte, to.bytes_per_second.value_or(*byte));
  }
  to.records_per_second = positive(value_of(speed.integer("record")));

  if (setting.has("executeMode") && value_of(setting.text("executeMode"))) {
    const std::string path = path_join(setting.path(), "executeMode");
    if (to.concurrent < distribute_concurrent_min) {
      out.error(
          path,
          fmt::format(
              "\"distribute\" needs \"speed.concurrent\" of at least {}, found {}{}; raise it, or set "
              "\"executeMode\" to null to run on one machine",
              distribute_concurrent_min, to.concurrent, speed.has("concurrent") ? "" : ", the default"));
    } else {
      out.warning(path, "\"distribute\" has no effect here: the job runs on this machine alone");
    }
  }
}

/// `core.transport.channel.speed`, the limits of one channel, after a look at the whole of `core`.
option_values core_speed(const job_shape& shape, findings& out) {
  static const std::vector<option> top = {{.name = "core",
                                           .type = option_type::object,
                                           .meaning = "Settings of DataX's engine.",
                                           .members = core_options()}};
  const option_values root(out.file(), "", {{"core", shape.core.value}}, out.places(), top, shape.form);
  check_options(root, top, "", out);
  option_values at = group(root, "core");
  for (const std::string_view name : {"transport", "channel", "speed"}) {
    at = group(at, name);
  }
  return at;
}

void read_datax_speed(const job_shape& shape, const option_values& setting, speed_limit& to, findings& out) {
  const option_values speed = group(setting, "speed");
  const option_values core = core_speed(shape, out);
  datax_speed asked;
  bool wrong = false;
  const auto take = [&](const option_values& from, std::string_view name, std::int64_t& number) {
    const auto answer = from.integer(name);
    wrong = wrong || !answer;
    number = value_of(answer).value_or(0);
  };
  take(speed, "channel", asked.channel);
  take(speed, "byte", asked.byte);
  take(speed, "record", asked.record);
  take(core, "byte", asked.channel_byte);
  take(core, "record", asked.channel_record);
  if (wrong) {
    return;
  }
  const datax_speed_answer answer = datax_arithmetic(asked);
  const std::string path = path_join(shape.setting.path, "speed");
  const bool by_channel = asked.byte <= 0 && asked.record <= 0;
  if (by_channel && speed.has("channel") && asked.channel <= 0) {
    out.error(path_join(path, "channel"),
              fmt::format("found {}, expected a whole number from 1 to {}", asked.channel, concurrent_max));
    return;
  }
  if (!answer.message.empty()) {
    const bool script2 = speed.json().contains(script2_concurrent);
    out.error(path, answer.message +
                        (script2 ? fmt::format(" (\"{}\" is a key of 2.0 files)", script2_concurrent) : ""));
    return;
  }
  to.bytes_per_second = answer.bytes_per_second;
  to.records_per_second = answer.records_per_second;
  to.concurrent_reason = answer.reason;
  to.concurrent = static_cast<std::uint32_t>(std::min<std::uint64_t>(answer.channels, concurrent_max));
  if (answer.channels > concurrent_max && by_channel) {
    out.error(path_join(path, "channel"),
              fmt::format("found {}, expected a whole number from 1 to {}", answer.channels, concurrent_max));
  } else if (answer.channels > concurrent_max) {
    out.warning(path, fmt::format("the limits come to {} channels; {} are used, the limits stay",
                                  answer.channels, concurrent_max));
  }
}

void check_datax_only(const option_values& setting, findings& out) {
  if (value_of(setting.boolean("dryRun")).value_or(false)) {
    out.error(path_join(setting.path(), "dryRun"),
              "a dry run is not supported yet; set it to false to move data");
  }
  if (setting.has("keyVersion")) {
    out.warning(path_join(setting.path(), "keyVersion"),
                "encrypted secrets are not supported; secrets are taken as they are written");
  }
}

}  // namespace

datax_speed_answer datax_arithmetic(const datax_speed& asked) {
  datax_speed_answer answer;
  const auto share = [](std::int64_t all, std::int64_t one) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(all / one, 1));
  };
  const auto missing = [&](std::string_view key) {
    answer.message = fmt::format(
        "\"{0}\" needs the limit of one channel, \"core.transport.channel.speed.{0}\", above 0; give it at "
        "the top of "
        "the file, or give \"channel\" instead of \"{0}\"",
        key);
    return answer;
  };
  if (asked.byte > 0) {
    if (asked.channel_byte <= 0) {
      return missing("byte");
    }
    answer.channels = share(asked.byte, asked.channel_byte);
    answer.reason = "job.setting.speed.byte / core.transport.channel.speed.byte";
  }
  if (asked.record > 0) {
    if (asked.channel_record <= 0) {
      return missing("record");
    }
    const std::uint64_t by_records = share(asked.record, asked.channel_record);
    if (answer.channels == 0 || by_records < answer.channels) {
      answer.channels = by_records;
      answer.reason = "job.setting.speed.record / core.transport.channel.speed.record";
    }
  }
  if (answer.channels == 0) {
    if (asked.channel <= 0) {
      answer.message =
          "the speed is missing; give \"channel\", the number of channels, as in {\"channel\": 3}";
      return answer;
    }
    answer.channels = static_cast<std::uint64_t>(asked.channel);
    answer.reason = "job.setting.speed.channel";
  }
  // Saturates: a limit beyond 2^63 is none.
  const auto whole_job = [&](std::int64_t one) -> std::optional<std::uint64_t> {
    if (one <= 0 ||
        answer.channels > static_cast<std::uint64_t>(INT64_MAX) / static_cast<std::uint64_t>(one)) {
      return std::nullopt;
    }
    return answer.channels * static_cast<std::uint64_t>(one);
  };
  answer.bytes_per_second = whole_job(asked.channel_byte);
  answer.records_per_second = whole_job(asked.channel_record);
  return answer;
}

void read_settings(const job_shape& shape, job& to, findings& out) {
  const auto& options = setting_options(shape.form);
  const json value = shape.setting.value.is_object() ? shape.setting.value : json::object();
  const option_values setting(out.file(), shape.setting.path, value, out.places(), options, shape.form);
  check_options(setting, options, shape.setting.path, out);
  read_error_limit(group(setting, "errorLimit"), to.errors, out);
  read_expect(group(setting, "expect"), to.expect, out);
  to.verify = value_of(setting.boolean("verify")).value_or(false);
  read_delivery(setting, to.delivery, out);
  read_formats(shape, to, out);
  to.compat = value_of(setting.text("compat")) == "datax" ? compat_mode::datax : compat_mode::exact;
  if (shape.form == dialect::datax) {
    read_datax_speed(shape, setting, to.speed, out);
    check_datax_only(setting, out);
  } else {
    read_script2_speed(setting, to.speed, out);
  }
}

}  // namespace sluice
