#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/supervise/run.h"
#include "actors/verify/verify.h"
#include "plugins/api/sketch.h"
#include "tools/cli/datasource_arguments.h"
#include "tools/cli/job_arguments.h"
#include "tools/cli/log.h"
#include "transport/base/result.h"

namespace sluice {

/// What standard output gets of a run.
enum class report_form { text, datax };

/// What a start does that finds the job at work.
enum class if_running { fail, wait, skip, takeover };

/// `sluice run JOB …`, checked as far as the command line alone allows.
struct run_arguments : job_arguments {
  std::vector<std::string> words;  ///< The command as given, behind the program's name: a flag a word.
  std::optional<run_id> only;      ///< `run_settings::only`.
  std::string job_file;            ///< The first of `jobs`.
  std::vector<std::string> jobs;   ///< As given: files, folders, `-`.
  std::uint32_t jobs_at_once = 1;
  bool stop_on_failure = false;
  std::vector<planned_request> range;  ///< The days of `--bizdate A..B`; empty where it is no range.
  std::uint32_t days_at_once = 1;      ///< `--parallel`, of one job.
  std::string begin_anew;              ///< `run_settings::begin_anew`.
  bool passes_done = false;  ///< One of several: what is done already is no failure, and told as such.
  report_form report = report_form::text;
  std::optional<std::uint64_t> memory_bytes;
  std::string memory_origin;  ///< Where `memory_bytes` comes from if not from `--memory`.
  std::optional<std::string> summary_file;
  std::optional<std::string> metrics_file;
  std::optional<std::string> on_end;
  std::optional<std::string> state_dir;
  std::chrono::milliseconds report_interval{10'000};
  std::chrono::milliseconds stall_timeout{60'000};
  std::chrono::milliseconds stop_timeout{20'000};
  std::optional<std::chrono::milliseconds> duration_max;
  std::optional<std::uint32_t> retries_max;
  run_settings::unfinished on_unfinished = run_settings::unfinished::automatic;
  std::chrono::milliseconds resume_window{3'600'000};
  run_settings::unsure_step pre_sql_unsure = run_settings::unsure_step::ask;
  run_settings::unsure_step post_sql_unsure = run_settings::unsure_step::ask;
  if_running running = if_running::fail;
  std::chrono::milliseconds wait_max{3'600'000};  ///< `if_running::wait`.
  bool once = false;
  bool same_ends = false;
  log_format format = log_format::text;
  log_level level = log_level::info;
  bool fail_on_dirty = false;
  bool json = false;
  bool no_progress = false;
};

/// `sluice params JOB …`.
struct params_arguments : job_arguments {
  std::string job_file;
  bool json = false;
};

/// `sluice check JOB… [flags]`.
struct check_arguments : job_arguments {
  std::vector<std::string> jobs;  ///< Files and folders.
  bool offline = false;
  bool json = false;
};

/// `sluice plan JOB [flags]`.
struct plan_arguments : job_arguments {
  std::string job_file;
  std::optional<std::uint64_t> memory_bytes;
  run_settings::unfinished on_unfinished = run_settings::unfinished::automatic;
  bool json = false;
};

/// `sluice verify JOB [flags]`.
struct verify_arguments : job_arguments {
  std::string job_file;
  verify_scope scope = verify_scope::automatic;
  std::vector<std::string> key;
  std::uint64_t differences_max = 100;
  bool against_source = false;  ///< What a run has read before does not count.
  bool read_back = false;       ///< `verify_settings::reads_back`.
  std::optional<std::uint64_t> memory_bytes;
  std::optional<std::string> state_dir;
  bool plan = false;
  bool no_progress = false;
  bool json = false;
};

/// `sluice ddl JOB [flags]`, `sluice ddl --progress NAME`.
struct ddl_arguments : job_arguments {
  std::string job_file;  ///< With `progress` also a data source, where there is no such file.
  bool progress = false;
  std::optional<std::string> progress_table;  ///< `--progress-table`: as `setting.progressTable`.
};

/// `sluice template READER WRITER`.
struct template_arguments {
  std::string from;
  std::string to;
  dialect form = dialect::script2;
  std::optional<bool> heading;  ///< `--header`, `--no-header`.
  registry_arguments datasources;
};

/// `sluice copy SRC DST [flags]`.
struct copy_arguments {
  std::string from;
  std::string to;
  std::optional<std::string> where;
  std::optional<std::string> save;
  sketch_mode mode = sketch_mode::refuse;
  std::optional<bool> heading;  ///< `--header`, `--no-header`.
  std::uint64_t error_limit = 0;
  run_arguments run;  ///< Its job file is not set.
};

/// `sluice runs list`: which runs, and how they are shown.
struct runs_list_arguments {
  std::optional<std::string> state_dir;
  std::optional<std::string> job;                    ///< A name, or a pattern with `*` and `?`.
  std::vector<std::string> states;                   ///< `run_state_words`; empty: all.
  std::optional<std::chrono::milliseconds> age_max;  ///< `--since 2h`; or
  std::optional<std::uint64_t> since_unix_ms;        ///< `--since 2026-11-27`.
  std::uint64_t limit = 50;                          ///< 0: all.
  bool json = false;
};

/// `sluice runs show RUN`.
struct runs_show_arguments {
  std::optional<std::string> state_dir;
  std::string run;
  bool json = false;
};

/// `sluice runs resume RUN`.
struct runs_resume_arguments {
  std::optional<std::string> state_dir;
  std::string run;
  std::vector<std::string> changes;  ///< Flags of the run, a word each.
  if_running running = if_running::fail;
};

/// `sluice runs clean [RUN…]`.
struct runs_clean_arguments {
  std::optional<std::string> state_dir;
  std::vector<std::string> runs;  ///< Empty: what breaks a bound.
  std::optional<std::string> job;
  std::optional<std::chrono::milliseconds> age_max;
  std::optional<std::uint64_t> runs_per_job_max;
  std::optional<std::uint64_t> bytes_max;
  bool unfinished = false;
  bool dry_run = false;
  bool json = false;
};

/// `sluice schema [DIALECT]`.
struct schema_arguments {
  std::optional<dialect> which;  ///< Nothing: both.
};

/// `sluice plugins [NAME]`.
struct plugins_arguments {
  std::optional<std::string> name;
  bool json = false;
};

/// `sluice version`.
struct version_arguments {
  bool json = false;
};

/// `--help` anywhere: the text to print.
struct help_arguments {
  std::string text;
};

using command =
    std::variant<run_arguments, check_arguments, plan_arguments, verify_arguments, ddl_arguments,
                 template_arguments, copy_arguments, schema_arguments, params_arguments,
                 datasource_list_arguments, datasource_test_arguments, datasource_add_arguments,
                 datasource_remove_arguments, runs_list_arguments, runs_show_arguments, runs_resume_arguments,
                 runs_clean_arguments, plugins_arguments, version_arguments, help_arguments>;

/// Parses the arguments behind the program's name. `bad_option` names the argument, what was expected, and
/// the nearest command or flag where one was mistyped. CLI11 is used here and in the files *_syntax.cpp, one
/// a command.
result<command> parse_command_line(const std::vector<std::string>& arguments);

/// All flags by command (empty: the program itself), as CLI11 knows them: `--memory`, `-p`. For the check of
/// docs/cli.md.
std::map<std::string, std::vector<std::string>> all_flags();

}  // namespace sluice
