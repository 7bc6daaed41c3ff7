#include "jobspec/job_key.h"

#include <vector>

#include "jobspec/digest.h"
#include "jobspec/known_keys.h"
#include "jobspec/mask.h"
#include "jobspec/secrets.h"

namespace sluice {

using nlohmann::json;

namespace {

/// `value` without what does not decide the data.
json deciding(const json& value, const std::vector<option>& options) {
  if (value.is_string()) {
    return mask_addresses(value.get_ref<const std::string&>());
  }
  if (value.is_array()) {
    json out = json::array();
    for (const auto& entry : value) {
      out.push_back(deciding(entry, options));
    }
    return out;
  }
  if (!value.is_object()) {
    return value;
  }
  json out = json::object();
  for (const auto& [key, inner] : value.items()) {
    const option* o = option_named(options, key);
    // envType is noise for a run on one machine, but it names which end is meant.
    const bool noise = o == nullptr && is_noise_key(key) && key != "envType";
    if (inner.is_null() || noise || is_no_data_option(key) || is_secret_key(o, key)) {
      continue;
    }
    static const std::vector<option> none;
    out[o == nullptr ? key : o->name] = deciding(inner, o == nullptr ? none : o->members);
  }
  return out;
}

std::string digest_of(const json& canonical) {
  return digest_text(canonical.dump(-1, ' ', false, json::error_handler_t::replace));
}

/// What the key covers, with its form.
json covered(const job_shape& before, const key_end& reader, const key_end& writer, compat_mode compat) {
  const auto end = [](const std::optional<step_shape>& step, const key_end& what) {
    json out{{"plugin", what.plugin},
             {"parameter", step ? deciding(step->parameter, what.options) : json::object()}};
    if (what.env) {
      out["parameter"].erase("envType");
      out["environment"] = to_string(*what.env);
    }
    return out;
  };
  json all = {{"form", "sluice-job-key/2"},
              {"dialect", before.form == dialect::datax ? "datax" : "2.0"},
              {"reader", end(before.reader, reader)},
              {"writer", end(before.writer, writer)},
              {"transformers", deciding(before.transformers.value, {})},
              {"conversion", deciding(before.common.value, {})}};
  // Left out where it is the default, so that keys are what they were before there was a choice.
  if (compat != compat_mode::exact) {
    all["compat"] = to_string(compat);
  }
  return all;
}

}  // namespace

std::string make_job_key(const job_shape& before, const key_end& reader, const key_end& writer,
                         compat_mode compat) {
  return digest_of(covered(before, reader, writer, compat));
}

std::map<std::string, std::string> make_key_parts(const job_shape& before, const key_end& reader,
                                                  const key_end& writer, compat_mode compat) {
  constexpr std::size_t digits = 16;
  std::map<std::string, std::string> parts;
  json all = covered(before, reader, writer, compat);
  all["compat"] = to_string(compat);
  for (const auto& [name, part] : all.items()) {
    if (name != "form") {
      parts[name] = digest_of(part).substr(0, digits);
    }
  }
  return parts;
}

std::string make_instance(const std::string& key, const std::map<std::string, std::string>& parameters,
                          const std::optional<std::string>& planned) {
  return digest_of({{"form", "sluice-instance/2"},
                    {"key", key},
                    {"parameters", parameters},
                    {"planned", planned ? json(*planned) : json()}});
}

}  // namespace sluice
