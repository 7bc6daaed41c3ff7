#include "jobspec/job_key.h"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "jobspec/digest.h"
#include "jobspec/known_keys.h"
#include "jobspec/mask.h"
#include "jobspec/secrets.h"
#include "jobspec/words.h"
#include "transport/base/text.h"

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

// In lower case. How an address is reached goes with it: another host has another certificate.
constexpr auto address_options = std::to_array<std::string_view>(
    {"jdbcurl", "address", "host", "port", "readonlydbinstance", "securityprotocol", "truststorefile",
     "keystorefile", "keyfile", "driverversion"});
constexpr auto place_options =
    std::to_array<std::string_view>({"jdbcurl", "address", "host", "port", "database"});

template <class Names>
bool is_one_of(const Names& names, std::string_view key) {
  return std::find(names.begin(), names.end(), lower(key)) != names.end();
}

constexpr std::string_view sqlite_scheme = "jdbc:sqlite:";

/// What of an address is not where it leads: `jdbc:mysql://a,b:3307/shop?x=1` to `jdbc:mysql:/shop?x=1`.
std::string without_servers(const std::string& url) {
  if (lower(url).starts_with(sqlite_scheme)) {
    const std::size_t behind = std::min(url.find('?'), url.size());
    const std::string path = url.substr(0, behind);
    // A file that a parameter names is another one with each value.
    const bool named = path.find("${") != std::string::npos || path.find("$[") != std::string::npos;
    return named ? url : std::string(sqlite_scheme) + url.substr(behind);
  }
  const std::size_t servers = url.find("//");
  if (servers == std::string::npos) {
    return url;
  }
  std::size_t end = servers + 2;
  for (int depth = 0; end < url.size() && (depth > 0 || (url[end] != '/' && url[end] != '?')); ++end) {
    depth += url[end] == '(' ? 1 : url[end] == ')' ? -1 : 0;
  }
  // `jdbc:mysql:`, without a word that says what the servers are to each other.
  const std::size_t jdbc = url.find(':');
  const std::size_t product = jdbc == std::string::npos ? jdbc : url.find(':', jdbc + 1);
  return url.substr(0, product == std::string::npos || product > servers ? servers : product + 1) +
         url.substr(end);
}

/// The distinct texts of a `jdbcUrl`, changed by `change`: several addresses of the same database are one.
template <class Change>
json urls(const json& value, const Change& change) {
  std::set<std::string> distinct;
  const auto one = [&](const json& text) {
    if (text.is_string()) {
      distinct.insert(change(text.get_ref<const std::string&>()));
    }
  };
  one(value);
  if (value.is_array()) {
    std::for_each(value.begin(), value.end(), one);
  }
  return distinct;
}

/// Calls `see` with a parameter object and with each object of its `connection`.
template <class See>
void each_connection(json& parameter, const See& see) {
  if (!parameter.is_object()) {
    return;
  }
  see(parameter);
  if (const auto at = parameter.find("connection"); at != parameter.end()) {
    json& all = *at;
    if (all.is_object()) {
      see(all);
    } else if (all.is_array()) {
      for (json& one : all) {
        if (one.is_object()) {
          see(one);
        }
      }
    }
  }
}

void take_addresses_out(json& parameter) {
  each_connection(parameter, [](json& object) {
    json kept = json::object();
    for (const auto& [key, value] : object.items()) {
      if (lower(key) == "jdbcurl") {
        kept[key] = urls(value, without_servers);
      } else if (!is_address_option(key)) {
        kept[key] = value;
      }
    }
    object = std::move(kept);
  });
}

/// Of a parameter object and its connections only what `keep` makes of an option; it gives null for none.
template <class Keep>
json only(const json& parameter, const Keep& keep) {
  json all = json::array();
  json copy = parameter;
  each_connection(copy, [&](const json& object) {
    json one = json::object();
    for (const auto& [key, value] : object.items()) {
      if (json kept = keep(key, value); !kept.is_null()) {
        one[lower(key)] = std::move(kept);
      }
    }
    if (!one.empty()) {
      all.push_back(std::move(one));
    }
  });
  return all.empty() ? json() : all;
}

}  // namespace

std::string digest_of(const json& canonical) {
  return digest_text(canonical.dump(-1, ' ', false, json::error_handler_t::replace));
}

bool is_address_option(std::string_view key) {
  return is_one_of(address_options, key);
}

json without_addresses(const job_shape& before, const key_end& reader, const key_end& writer,
                       compat_mode compat) {
  json all = covered(before, reader, writer, compat);
  all["form"] = "sluice-ends/1";
  take_addresses_out(all["reader"]["parameter"]);
  take_addresses_out(all["writer"]["parameter"]);
  return all;
}

json addresses_of(const json& parameter) {
  return only(parameter, [](const std::string& key, const json& value) {
    if (!is_one_of(place_options, key)) {
      return json();
    }
    return lower(key) != "jdbcurl" ? value : urls(value, [](const std::string& url) {
      return mask_addresses(url.substr(0, url.find('?')));
    });
  });
}

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
