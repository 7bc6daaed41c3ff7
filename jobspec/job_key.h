#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "jobspec/compat_mode.h"
#include "jobspec/datasource.h"
#include "jobspec/job_shape.h"
#include "jobspec/option.h"

namespace sluice {

/// What the job key has of an end beside what stands in the file.
struct key_end {
  std::string plugin;
  const std::vector<option>& options;
  std::optional<datasource_env> env;  ///< Where it names a data source.
};

/// The job key (delivery.md): 32 hexadecimal digits over what decides the data, taken from `before`, the file
/// with
/// `--set` but before substitution. Left out: the file's name and place, secrets and accounts, errorLimit,
/// speed, timeouts and sizes, postSql, keys without a meaning, and whether a key is null or missing. The ends
/// have the plugins' names, so that an alias gives the same key. An end that names a data source has its
/// environment in place of `envType`: what the registry says of it may change without a new key.
///
/// Form `sluice-job-key/2`: XXH3-128, big-endian, over compact JSON with sorted keys. A change of it makes
/// every unfinished run a stranger, so it has a golden test.
std::string make_job_key(const job_shape& before, const key_end& reader, const key_end& writer,
                         compat_mode compat);

/// Digests of the parts that the job key covers, so that a run under another key can say which of them
/// differ: `dialect`, `reader`, `writer`, `transformers`, `conversion`, `compat`, 16 hexadecimal digits each.
/// Same arguments as `make_job_key`.
std::map<std::string, std::string> make_key_parts(const job_shape& before, const key_end& reader,
                                                  const key_end& writer, compat_mode compat);

/// The JSON of `make_job_key` without the addresses of the ends: servers in `jdbcUrl`, `address`, `host`,
/// `port` and how they are reached, the path of an SQLite file unless it has a parameter in it. Databases and
/// tables stay.
nlohmann::json without_addresses(const job_shape& before, const key_end& reader, const key_end& writer,
                                 compat_mode compat);
/// Whether an option of an end's parameters, by its first name in lower case, is an address or how one is
/// reached.
bool is_address_option(std::string_view key);

/// Where an end is, of its parameters as they are run: `jdbcUrl` without properties, `address`, `host`,
/// `port`, `database`, also of each `connection`. Null where it says none of these.
nlohmann::json addresses_of(const nlohmann::json& parameter);

/// Digest of canonical JSON, 32 hexadecimal digits.
std::string digest_of(const nlohmann::json& canonical);

/// The instance, form `sluice-instance/2`: the job key with the parameters after substitution (those that are
/// no secrets, and stand not only in what the key leaves out) and the planned time, null where none was
/// given.
std::string make_instance(const std::string& key, const std::map<std::string, std::string>& parameters,
                          const std::optional<std::string>& planned);

}  // namespace sluice
