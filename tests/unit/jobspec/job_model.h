#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "jobspec/job.h"

namespace sluice {

template <class T>
void put(nlohmann::json& to, const char* key, const std::optional<T>& value) {
  if (value) {
    to[key] = *value;
  }
}

inline nlohmann::json step_model(const job_step& step) {
  return {{"plugin", step.plugin},
          {"type", step.type_text},
          {"place", step.place},
          {"parameter", step.parameter.json()}};
}

/// The job as JSON; what is not set is left out.
inline nlohmann::json model(const job& j) {
  nlohmann::json out = {
      {"form", j.form == dialect::datax ? "datax" : "2.0"},
      {"name", j.name},
      {"reader", step_model(j.reader)},
      {"writer", step_model(j.writer)},
      {"errors", nlohmann::json::object()},
      {"speed", {{"concurrent", j.speed.concurrent}, {"reason", j.speed.concurrent_reason}}},
      {"warnings", j.warnings}};
  put(out["errors"], "records", j.errors.records);
  put(out["errors"], "ratio", j.errors.ratio);
  put(out["speed"], "bytes_per_second", j.speed.bytes_per_second);
  put(out["speed"], "records_per_second", j.speed.records_per_second);
  nlohmann::json expect = nlohmann::json::object();
  put(expect, "min_records", j.expect.min_records);
  put(expect, "max_records", j.expect.max_records);
  put(expect, "max_dirty_ratio", j.expect.max_dirty_ratio);
  nlohmann::json formats = nlohmann::json::object();
  put(formats, "datetime", j.formats.datetime_format);
  put(formats, "date", j.formats.date_format);
  put(formats, "time", j.formats.time_format);
  put(formats, "extra", j.formats.extra_formats);
  put(formats, "encoding", j.formats.encoding);
  put(formats, "zone", j.time_zone);
  nlohmann::json transformers = nlohmann::json::array();
  for (const auto& t : j.transformers) {
    transformers.push_back(
        {{"name", t.name}, {"column", t.column_index}, {"paras", t.paras}, {"place", t.place}});
  }
  if (j.compat != compat_mode::exact) {
    out["compat"] = to_string(j.compat);
  }
  const std::pair<const char*, nlohmann::json> rest[] = {
      {"expect", expect}, {"formats", formats}, {"transformers", transformers}, {"parameters", j.parameters}};
  for (const auto& [key, value] : rest) {
    if (!value.empty()) {
      out[key] = value;
    }
  }
  return out;
}

/// The value of an option as its type has it, null where it has none: for `option_values`' typed access.
inline nlohmann::json typed_value(const option_values& values, const option& o) {
  const auto plain = [](const auto& answer) -> nlohmann::json {
    if (!answer) {
      return "wrong: " + answer.error().message;
    }
    return *answer ? nlohmann::json(**answer) : nlohmann::json();
  };
  switch (o.type) {
    case option_type::integer:
      return plain(values.integer(o.name));
    case option_type::number:
      return plain(values.number(o.name));
    case option_type::boolean:
      return plain(values.boolean(o.name));
    case option_type::text_list: {
      const auto list = values.text_list(o.name);
      return list && !list->empty() ? nlohmann::json(*list) : nlohmann::json();
    }
    case option_type::object:
    case option_type::object_list:
    case option_type::columns:
      return values.has(o.name) ? values.json().at(o.name) : nlohmann::json();
    default:
      return plain(values.text(o.name));
  }
}

/// All described options of one end by name.
inline nlohmann::json typed_model(const job_step& step, const std::vector<option>& options) {
  nlohmann::json out = nlohmann::json::object();
  for (const option& o : options) {
    out[o.name] = typed_value(step.parameter, o);
  }
  return out;
}

}  // namespace sluice
