#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "jobspec/compat_mode.h"
#include "jobspec/datasource_use.h"
#include "jobspec/option_values.h"
#include "jobspec/planned_time.h"

namespace sluice {

/// How many dirty records a run bears (job-formats 3.2). Both empty: any number.
struct error_limit {
  std::optional<std::uint64_t> records;  ///< The run fails with the record after this many.
  std::optional<double> ratio;           ///< 0 to 1, dirty / read; only where `records` is absent.
  std::string place = {};                ///< Of what sets it, for messages; empty where nothing does.
};

/// How fast a run may be.
struct speed_limit {
  std::uint32_t concurrent = 1;   ///< 1 to 256.
  std::string concurrent_reason;  ///< Where it comes from: `setting.speed.concurrent`, `default of 2.0`.
  std::optional<std::uint64_t> bytes_per_second;    ///< Record bytes, whole job.
  std::optional<std::uint64_t> records_per_second;  ///< DataX only.
};

/// `setting.expect`: what the run must look like, else it fails.
struct expectation {
  std::optional<std::uint64_t> min_records;
  std::optional<std::uint64_t> max_records;
  std::optional<double> max_dirty_ratio;
  /// Where each stands: `orders.json:30:9 setting.expect.min_records`.
  std::string min_records_place = {}, max_records_place = {}, max_dirty_ratio_place = {};
};

/// `setting.delivery`.
enum class delivery_mode : std::uint8_t {
  automatic,      ///< As much as both ends can, in transactions that the destination bears.
  exactly_once,   ///< Nothing less: else the job is refused.
  at_least_once,  ///< Rows may be there twice where a run was interrupted.
};

/// What a run is to promise, and where its marks stand.
struct delivery_settings {
  delivery_mode mode = delivery_mode::automatic;
  std::string mode_place = {};      ///< `orders.json:30:9 setting.delivery`; empty where it is the default.
  bool no_marks = false;            ///< `setting.progressTable` is `none`.
  std::string progress_table = {};  ///< What it names else; empty: the default.
  std::string progress_table_place = {};  ///< Empty where it is not given.
};

struct transformer_spec {
  std::string name;  ///< `dx_filter`
  std::uint32_t column_index = 0;
  std::vector<std::string> paras;
  std::string place;  ///< For messages: `orders.json:20:7 job.content[0].transformer[0]`.
};

/// Formats of text to and from times (`common.column`).
struct column_formats {
  std::optional<std::string> datetime_format;
  std::optional<std::string> date_format;
  std::optional<std::string> time_format;
  std::optional<std::vector<std::string>> extra_formats;
  std::optional<std::string> encoding;
  std::map<std::string, std::string> places = {};  ///< Where each stands, by its key.

  /// `utf-8` in any spelling, or nothing.
  [[nodiscard]] bool encoding_is_utf8() const;
};

/// One end of a job.
struct job_step {
  std::string plugin;     ///< Name of the plugin (`text`), resolved from stepType or DataX name.
  std::string type_text;  ///< As in the file: `csv`, `txtfilereader`.
  std::string place;
  option_values parameter;
  std::vector<named_datasource> datasources;  ///< That it names; what they say is in `parameter`.
  bool incomplete = false;                    ///< A data source that it names could not be had.
};

/// Digests for `--same-ends` (docs/decisions/103-same-ends.md), 32 hexadecimal digits each.
struct job_ends_digests {
  std::string key;       ///< As the job key, the addresses of both ends left out.
  std::string instance;  ///< As the instance, likewise.
  /// Of the reader's addresses, those of data sources included; empty where it has none.
  std::string reader_address;
};

/// A job after parsing, substitution and validation of its text: one model for both dialects.
struct job {
  dialect form = dialect::script2;
  std::string file;  ///< As given on the command line.
  std::string name;  ///< `--name`, else the file's name without `.json`.
  job_step reader;
  job_step writer;
  std::vector<transformer_spec> transformers;
  error_limit errors;
  speed_limit speed;
  expectation expect;
  delivery_settings delivery;
  column_formats formats;
  bool verify = false;                      ///< `setting.verify`: what is written is compared at the end.
  compat_mode compat = compat_mode::exact;  ///< `--compat`, else `setting.compat`.
  std::optional<std::string> time_zone;     ///< `common.column.timeZone`.
  std::string time_zone_place;              ///< Where that stands.
  bool strict = false;          ///< `--strict`: what is odd is refused, also what only both ends show.
  bool order_compared = false;  ///< The columns that both ends list have been compared by name.
  /// Substituted: name to value; `***` for one that went into a secret or is called like one.
  std::map<std::string, std::string> parameters;
  std::optional<planned_time> planned;  ///< Nothing only where the caller has no clock.
  std::string date_place;  ///< Where the first date stands that is counted from it; empty where none is.
  std::string document;    ///< The job as run, JSON with secrets as `***`.
  std::string key;         ///< Job key, 32 hexadecimal digits (delivery.md).
  std::map<std::string, std::string> key_parts;  ///< What the key is made of, by name (`make_key_parts`).
  std::string instance;                          ///< Instance, 32 hexadecimal digits.
  job_ends_digests ends;                         ///< What tells jobs apart that differ in addresses alone.
  std::vector<std::string> warnings;             ///< One line each with its place.
};

/// What the parser must know of a plugin, so that jobspec does not include plugins/.
struct known_side {
  std::string plugin;
  const std::vector<option>* options = nullptr;
  const std::vector<option_default>* defaults = nullptr;  ///< What the name in the file sets; may be nullptr.
};
/// Finds a plugin's side by the name in the file, in small letters and trimmed. Nothing: unknown, or that
/// side does not exist. `parse_job` itself tries everyday names (`pg`), and in a DataX file the name without
/// its suffix and as a stepType.
/// What somebody else than the parser says of a job's text: lines with their places.
struct text_verdict {
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
  bool order_compared = false;  ///< Both ends list their columns by name, and their order has been judged.
};
struct plugin_lookup {
  std::function<std::optional<known_side>(std::string_view type, bool reader, dialect d)> find;
  std::function<std::vector<std::string>(bool reader, dialect d)> names;  ///< For "did you mean".
  /// What the plugins themselves say of the text, and what the text of both ends shows together. Called once
  /// for each job, also for one with mistakes: an end that could not be read has no `plugin`. May be empty.
  std::function<text_verdict(const job& what)> check = {};
};

struct load_options {
  std::map<std::string, std::string> parameters;         ///< `-p name=value`, also from files.
  std::map<std::string, std::string> parameter_origins;  ///< Of those that are not from `-p`: `days.txt:3`.
  std::set<std::string> literal_parameters;              ///< Those put in as they are (`-p -Dname=value`).
  std::vector<std::pair<std::string, std::string>> set;  ///< `--set path=value`, applied after substitution.
  std::optional<std::string> name;
  bool strict = false;  ///< What is odd is an error: unknown keys, columns in another order.
  std::optional<compat_mode> compat = std::nullopt;  ///< `--compat`; goes before the job's own.
  datasource_lookup datasources;
  /// The planned time, once the job's dialect and its `common.column.timeZone` are known. Empty: none is
  /// known, and a job that uses a date is wrong.
  std::function<result<planned_time>(dialect form, const std::optional<std::string>& zone_of_job)> plan;
};

/// The variables of a job and their values, for whoever wants to see them before a run.
struct job_variables {
  /// One variable as it is written, wherever it stands.
  struct variable {
    std::string written;     ///< `${day}`, `$[yyyymmdd-1]`.
    std::string expression;  ///< What was given, or what the name stands for; `***` for a secret.
    std::string value;       ///< `***` for a secret.
    std::string origin;      ///< `-p`, `days.txt:3`, `the job`, `built-in`.
    std::vector<std::string> places;
  };
  dialect form = dialect::script2;
  std::optional<planned_time> planned;
  std::optional<std::string> time_zone;  ///< `common.column.timeZone`.
  std::string time_zone_place;           ///< Where that stands.
  std::vector<variable> variables;       ///< In the order of the file.
  std::vector<std::string> warnings;     ///< Of variables alone, a line each; so are the errors.
  std::vector<std::string> errors;
};

/// All that is wrong with a job's text, in one go: each a line with file, line, column and path.
struct job_errors {
  std::vector<std::string> lines;
  /// The secrets of the job as far as it was read: what somebody else says of it must not show them either.
  std::vector<secret_text> secrets = {};
  /// What of it a right job may ask and Sluice does not have yet, by names for counts: `reader mongodb`.
  std::vector<std::string> not_supported = {};
  bool broken = true;                      ///< False: `not_supported` is all that is wrong.
  std::vector<std::string> warnings = {};  ///< What is odd besides: a slip there may be the mistake.
};

/// Parses and validates `text`: parameters put in, `--set` applied, both ends checked against their plugins'
/// options. Does no I/O. The plugins' options must outlive the job.
tl::expected<job, job_errors> parse_job(const std::string& file, std::string_view text,
                                        const load_options& options, const plugin_lookup& plugins);
/// Reads the file, then `parse_job`.
tl::expected<job, job_errors> load_job(const std::string& file, const load_options& options,
                                       const plugin_lookup& plugins);

/// The variables of the job in `file`, right in everything else or not. `job_errors` where the file cannot be
/// read as JSON.
tl::expected<job_variables, job_errors> load_variables(const std::string& file, const load_options& options,
                                                       const plugin_lookup& plugins);

}  // namespace sluice
