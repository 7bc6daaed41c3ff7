#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "jobspec/option.h"
#include "jobspec/option_values.h"
#include "plugins/api/connection_test.h"
#include "plugins/api/plain_secret.h"
#include "plugins/api/read_back.h"
#include "plugins/api/sketch.h"
#include "plugins/api/source.h"
#include "plugins/api/target.h"
#include "transport/base/guard_process.h"
#include "transport/record/convert.h"
#include "transport/record/zone.h"

namespace sluice {

/// `setting.progressTable`: where the job wants the marks.
struct marks_wish {
  bool none = false;  ///< None are kept.
  std::string name;  ///< From which the names of both tables come, maybe with its schema; empty: the default.
  std::string place;  ///< Of the setting; empty where the job says nothing.
};

/// What a source or target may use of its run. Outlives both.
struct plugin_context {
  std::shared_ptr<buffer_pool> pool;
  time_zone_ptr zone;          ///< The run's one time zone.
  conversion_context formats;  ///< `common.column` of the job: formats of text to and from times.
  dialect job_dialect = dialect::script2;
  std::string job_name;
  std::uint32_t pipelines = 0;  ///< As many as the job asks for; 0 = not known.
  marks_wish marks = {};
  bool strict = false;  ///< `--strict`: what would be warned of is refused, where it is the job's mistake.
  run_id run;
  std::uint64_t memory_bytes =
      0;  ///< This end's share of the budget for buffers of its own, for each pipeline.
  std::function<void(std::string)> warn;  ///< One line for log and summary. Thread-safe.
  /// One line for the log, of what is as it should be. Thread-safe.
  std::function<void(std::string)> note = [](const std::string&) {};
  /// What the run stands still for until somebody else does it, told at once and about each second with the
  /// seconds waited so far; shown at a pace that people read. Thread-safe.
  std::function<void(const std::string& what, double seconds)> waits = [](const std::string&, double) {};
  /// `check` and `plan`: what is not there yet is not waited for, but said.
  bool only_looks = false;
  bool makes_table = false;  ///< `sluice ddl`: as if the job had `createTable`.
  /// Looks a secret option up (`option_values::secret_of`), now: called each time a connection is opened, so
  /// that rotated and short-lived secrets work. May wait; thread-safe. Never keep what it returns.
  std::function<result<secret>(const secret_text& written, const stop_signal& stop)> resolve_secret =
      plain_secret;
  /// Told of what runs on servers for this process, under the plugin's name (`plugin::end_left`); nullptr:
  /// nobody ends it when the process is killed.
  std::shared_ptr<guard_process> guard = nullptr;
};

/// Capabilities of one side, as data: what the plan, the docs and the checks read.
struct capabilities {
  std::string splits = {};       ///< `by byte ranges of uncompressed files`; empty = one split.
  std::string resumes = {};      ///< `inside a split, by byte offset`; empty = a split is read again whole.
  std::string incremental = {};  ///< `with ${bizdate} in path`; how an incremental load is written.
  bool repeatable = false;
  bool transactional = false;
  bool distributable = false;
  std::uint32_t writers_max = 0;  ///< 0 = no limit.
  /// Of a writer: where its marks stand, `two tables in the database`; empty where it keeps none.
  std::string marks = {};
  bool marks_named = false;                ///< `setting.progressTable` may name them.
  std::string no_marks = {};               ///< When it keeps none; empty: never.
  transaction_bound whole_split_max = {};  ///< `target_description::whole_split_max`.
};

/// One side of a plugin.
struct side_description {
  std::vector<option> options;
  capabilities can = {};
  std::string sample = {};  ///< A `parameter` object as JSON text that works, for the template and the docs.
};

/// What another name of a plugin says of its options, reader and writer alike.
struct alias_defaults {
  std::string alias;
  std::vector<option_default> defaults;
};

/// A plugin: a description, and for each side it has a function that makes the object for a run. The
/// functions check the options' text only (`bad_option`, exit code 2) and do no I/O.
struct plugin {
  std::string name;                                 ///< `text`: the stepType.
  std::vector<std::string> aliases = {};            ///< Other stepTypes: `csv`.
  std::vector<alias_defaults> named_defaults = {};  ///< `json` sets `fileFormat`; none for most aliases.
  std::vector<std::string> datax_readers = {};      ///< `txtfilereader`.
  std::vector<std::string> datax_writers = {};
  std::string summary = {};               ///< One sentence for `sluice plugins`.
  std::vector<std::string> remarks = {};  ///< Paragraphs for the page: limits, decisions.

  const side_description* reads = nullptr;  ///< nullptr = no reader. Static lifetime.
  const side_description* writes = nullptr;
  result<std::unique_ptr<source>> (*make_source)(const option_values& options,
                                                 const plugin_context& context) = nullptr;
  result<std::unique_ptr<target>> (*make_target)(const option_values& options,
                                                 const plugin_context& context) = nullptr;
  /// How what a job with these options has written into `columns` of its destination, in the order of the
  /// job, is read again. Does no I/O. nullptr: it cannot be.
  result<read_back> (*read_back_of)(const option_values& writer,
                                    const std::vector<std::string>& columns) = nullptr;
  /// Tries a connection step by step, for `sluice datasource test`; `options` are the reader's (the writer's
  /// where it has no reader) as far as a data source gives them, without a table. Changes nothing. nullptr:
  /// the plugin has no connection, or cannot test it.
  std::vector<connection_step> (*test_connection)(const option_values& options, const plugin_context& context,
                                                  const stop_signal& stop) = nullptr;
  /// Ends what a killed process has left running at a place, both as they were told to
  /// `plugin_context::guard` (guard_process::duty). nullptr: servers notice by themselves, or there are none.
  void (*end_left)(std::string_view place, const std::vector<std::string>& things) = nullptr;

  // For `sluice template` and `sluice copy`; nullptr where the plugin has no such thing.
  /// The end that a person means by `text`; nothing where it is none of this plugin's.
  std::optional<end_place> (*recognise)(std::string_view text) = nullptr;
  /// The end that `rest` is in a data source of the plugin (`orders` of `db:orders`); `bad_option` where it
  /// can be none. Does no I/O. nullptr: `rest` is a table's name.
  result<end_place> (*place_in)(end_datasource source, std::string_view rest) = nullptr;
  /// Looks at the real end and writes down how it is read; `bad_option` where there is no such thing. Changes
  /// nothing. Of an end in a data source it leaves out what connects: `datasource` is put in for it.
  result<end_sketch> (*sketch_source)(const end_place& where, const sketch_context& context,
                                      const stop_signal& stop) = nullptr;
  /// The same for a destination of these columns.
  result<end_sketch> (*sketch_target)(const end_place& where, const schema& columns,
                                      const sketch_context& context, const stop_signal& stop) = nullptr;
};

/// All plugins, in the order of the one list (plugins/plugins.cpp).
const std::vector<plugin>& all_plugins();

}  // namespace sluice
