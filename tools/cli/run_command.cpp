#include "tools/cli/run_command.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>

#include "actors/supervise/continuation.h"
#include "actors/supervise/make_ends.h"
#include "actors/verify/written_rows.h"
#include "jobspec/secrets.h"
#include "tools/cli/console.h"
#include "tools/cli/datax_report.h"
#include "tools/cli/end_hook.h"
#include "tools/cli/end_report.h"
#include "tools/cli/files.h"
#include "tools/cli/job_changes.h"
#include "tools/cli/job_loading.h"
#include "tools/cli/job_source.h"
#include "tools/cli/log.h"
#include "tools/cli/metrics_text.h"
#include "tools/cli/refused_records.h"
#include "tools/cli/reporter.h"
#include "tools/cli/retention.h"
#include "tools/cli/run_folder.h"
#include "tools/cli/secret_filter.h"
#include "tools/cli/signal_watch.h"
#include "tools/cli/state_directory.h"
#include "tools/cli/stored_command.h"
#include "tools/cli/summary_json.h"
#include "tools/cli/verify_text.h"
#include "transport/base/secret_resolver.h"
#include "transport/base/text.h"
#include "transport/record/canonical.h"
#include "transport/record/zone.h"

namespace sluice {
namespace {

using steady = std::chrono::steady_clock;

/// A terminal's live area is drawn this often: smooth for the eye, and nothing for the machine.
constexpr std::chrono::milliseconds live_interval{250};

/// How often it is looked whether another process has ended that works on the job. A look connects to both
/// ends.
constexpr std::chrono::milliseconds running_looked_at_min{1000};
constexpr std::chrono::milliseconds running_looked_at_max{10'000};
constexpr std::chrono::minutes running_told_again{1};

/// Of rows that were committed the folder tells so late at most.
constexpr std::chrono::milliseconds committed_kept_each{200};

/// Of a job whose settings are all other ones the first are enough.
constexpr std::size_t settings_told_max = 20;

/// A job file is at most 16 MiB (jobspec); as run it may be a little more.
constexpr std::size_t job_file_bytes_max = std::size_t{64} << 20;

/// The writer's output is this program's standard output.
bool prints_records(const job& what) {
  if (what.writer.plugin != "stream" || what.writer.parameter.has("path")) {
    return false;
  }
  const auto print = what.writer.parameter.boolean("print");
  return print && print->value_or(true);
}

std::uint64_t lines_in(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return static_cast<std::uint64_t>(
      std::count(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>(), '\n'));
}

/// One call of `sluice run`: what is known so far, and the steps in order. Lives as long as the call.
class run_session {
 public:
  run_session(const run_arguments& arguments, const program& parts)
      : arguments_(arguments),
        parts_(parts),
        begin_(steady::now()),
        screen_(parts.err_fd, parts.err_is_terminal),
        secrets_(arguments.parameters) {
    context_.started_unix_ms = parts.unix_ms();
    context_.job_file = arguments.job_file;
    context_.parameters = secrets_.apply(arguments.parameters);
    context_.fail_on_dirty = arguments.fail_on_dirty;
    summary_.run = new_run_id(context_.started_unix_ms);
    summary_.job_name = arguments.name.value_or(job_name_of_file(arguments.job_file));
  }

  int run();

 private:
  result<void> begin_log_and_signals();
  result<void> load(const planned_time* continued = nullptr);
  void guard_statements();
  result<void> choose_zone_and_memory();
  result<void> open_folder();
  result<void> keep_command();
  result<void> look_for_begun();
  result<void> look_for_marks_elsewhere();
  run_settings settings_of_run(bool live);
  /// `live`: progress is drawn on the terminal.
  reporter::settings settings_of_reporter(bool live);
  /// The planned time of the unfinished run that must be continued instead; nothing where the run is over.
  std::optional<planned_time> execute();
  result<void> plan_again(const planned_time& kept);
  result<void> execute_as_planned();
  [[nodiscard]] bool is_claimed() const;
  bool wait_for_its_end();
  bool still_claimed();
  void judge_nothing_done();
  int end();

  result<void> adopt_folder_of(const run_id& continued);
  result<void> go_on_beside(const run_id& continued);
  void tell_other_settings(const run_folder& older, std::vector<std::string> changes);
  result<std::string> folder_of_continued(const run_id& continued);
  /// `setting.verify`.
  run_summary execute_keeping_rows(const run_settings& settings, run_observer& observer);
  result<void> compare_written(const run_settings::written_totals& written, const run_settings& settings,
                               run_observer& observer, const stop_signal& stop);
  void on_plan(const run_plan& plan);
  void on_forgot(const std::vector<run_id>& runs);
  void carry_rows_of_others();
  void on_committed(std::uint64_t rows, const repeated_rows& beside);
  void complete(run_summary& ended);
  void write_metrics(const std::string& state, const record_counts& counts, std::uint64_t splits_done,
                     std::uint64_t splits_total, double seconds, double records_per_second,
                     double bytes_per_second);
  void write_summary(const run_summary& summary);
  void show_report();
  void keep_or_forget();
  void warn(const std::string& text);
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(steady::now() - begin_).count();
  }

  const run_arguments& arguments_;
  const program& parts_;
  const steady::time_point begin_;
  console screen_;
  secret_filter secrets_;
  run_context context_;
  run_summary summary_;
  std::unique_ptr<log> log_;
  stop_source stop_;
  stop_source stop_now_;
  std::string stopped_by_;  ///< Written by the watch's thread before `stop_` fires; under mutex_.
  std::mutex mutex_;
  std::unique_ptr<signal_watch> watch_;  ///< Ends before what it uses above.
  std::optional<loaded_job> job_;
  std::shared_ptr<guard_process> guard_;
  std::string state_directory_;
  std::unique_ptr<run_folder> folder_;
  std::optional<datax_report> datax_;
  result<void> adopted_;  ///< Whether the folder of the run that is continued could be taken.
  std::optional<steady::time_point> waiting_since_;  ///< `--if-running wait`.
  committed_record before_;  ///< As earlier processes of the run that is continued have left it.
  std::uint64_t carried_rows_ = 0;
  std::optional<std::uint64_t> finished_missing_;  ///< `dirty_missing` of a run that was only finished off.
  std::optional<steady::time_point> committed_kept_at_;
  committed_record committed_kept_;  ///< What the folder has.
  bool committed_warned_ = false;
  bool metrics_warned_ = false;
  std::string summary_text_;  ///< As last written.
};

result<void> run_session::begin_log_and_signals() {
  SLUICE_TRY(log_, log::make(arguments_.format, arguments_.level, summary_.run,
                             [this](std::string_view line) { screen_.print(line); }));
  auto told = [this](const char* name, bool first) {
    if (first) {
      const std::lock_guard lock(mutex_);
      stopped_by_ = name;
    }
    log_->write(
        log_level::warning, {},
        first
            ? fmt::format("{}: stopping; writers commit what they have, for up to {}. Once more ends at once",
                          name, duration_text(std::chrono::duration<double>(arguments_.stop_timeout).count()))
            : fmt::format("{} again: ending at once", name));
  };
  SLUICE_TRY(watch_, signal_watch::begin(stop_, stop_now_, std::move(told), parts_.exit_now));
  return {};
}

result<void> run_session::load(const planned_time* continued) {
  auto loaded = load_for_command(arguments_.job_file, arguments_, parts_, secrets_, continued);
  if (!loaded) {
    summary_.wrong_job = true;
    for (const std::string& line : loaded.error().warnings) {
      warn(line);
    }
    return fail(error{error_kind::bad_option, all_lines(loaded.error()), {}});
  }
  job_ = std::move(*loaded);
  const job& what = job_->what;
  summary_.job_name = what.name;
  summary_.job_key = what.key;
  for (const auto& [step, p] : {std::pair{&what.reader, job_->reader}, {&what.writer, job_->writer}}) {
    if (p == nullptr) {
      return fail(error_kind::internal, "{}: the plugin {} is not in the list", step->place,
                  in_quotes(step->plugin));
    }
  }
  if (arguments_.json && prints_records(what)) {
    summary_.wrong_job = true;
    return fail(error_kind::bad_option,
                "{}: the writer prints records to standard output, where --json prints nothing but the "
                "summary: write the summary with --summary FILE, or set \"path\" and \"fileName\" to have "
                "the records in a file",
                what.writer.place);
  }
  context_.parameters = secrets_.apply(what.parameters.empty() ? arguments_.parameters : what.parameters);
  context_.planned_for = what.planned;
  context_.instance = what.instance;
  context_.reader_place = what.reader.place;
  context_.datasources.clear();
  for (const auto& [side, step] : {std::pair{"reader", &what.reader}, {"writer", &what.writer}}) {
    for (const named_datasource& one : step->datasources) {
      context_.datasources.push_back({side, one});
    }
  }
  context_.warnings.clear();
  for (const std::string& line : what.warnings) {
    context_.warnings.push_back(secrets_.apply(line));
  }
  return {};
}

/// Before anything is locked; the only other thread, the watch's, merely waits.
void run_session::guard_statements() {
  if (auto guard = begin_guard(*job_)) {
    guard_ = std::move(*guard);
  } else {
    warn(guard.error().message);
  }
}

result<void> run_session::choose_zone_and_memory() {
  context_.memory =
      choose_memory(arguments_.memory_bytes, parts_.configured,
                    arguments_.memory_bytes ? std::nullopt : cgroup_memory_limit(parts_.system_root));
  if (!arguments_.memory_origin.empty()) {
    context_.memory.origin = arguments_.memory_origin;
  }
  zone_choice zone;
  auto chosen = choose_zone_for(job_->what, arguments_, parts_, zone);
  context_.zone = zone.name;
  context_.zone_origin = zone.origin;
  if (!chosen) {
    summary_.wrong_job = zone.text_only;
  }
  return chosen;
}

/// A run stores its planned time and zone; whoever continues it uses these, not the clock.
result<void> run_session::plan_again(const planned_time& kept) {
  planned_time planned = job_->what.planned.value_or(kept);
  planned.at = kept.at;
  planned.zone = kept.zone;
  if (!planned.given) {
    planned.origin = "of the unfinished run";
  }
  SLUICE_CHECK(load(&planned));
  context_.zone = kept.zone;
  context_.zone_origin = "of the unfinished run";
  if (auto found = time_zone::find(kept.zone); !found) {
    return fail(error_kind::bad_option, "the zone of the unfinished run: {}", found.error().message);
  }
  SLUICE_CHECK(keep_command());
  return folder_->write("job.json", secrets_.apply(job_->what.document));
}

result<void> run_session::open_folder() {
  const state_directory state =
      choose_state_directory(arguments_.state_dir, parts_.configured, parts_.variable);
  state_directory_ = state.path;
  auto opened = run_folder::open(state.path, job_->what.name, summary_.run);
  if (!opened) {
    return fail(opened.error().kind,
                "{}. The state directory comes from {}; give one that can be written, with --state-dir or in "
                "the environment variable SLUICE_STATE",
                opened.error().message, state.origin);
  }
  folder_ = std::move(*opened);
  context_.run_folder = folder_->path();
  SLUICE_CHECK(log_->open_file(folder_->file("run.log")));
  SLUICE_CHECK(keep_command());
  return folder_->write("job.json", secrets_.apply(job_->what.document));
}

/// For `sluice runs resume`.
result<void> run_session::keep_command() {
  std::error_code ignored;
  const std::string here = std::filesystem::current_path(ignored).string();
  stored_command kept = command_to_keep(arguments_, job_->what, here, secrets_);
  kept.run = summary_.run.text();
  return folder_->write("command.json", stored_command_json(kept));
}

/// Where the destination keeps no marks, only the run folders tell of a run that was begun and never ended.
result<void> run_session::look_for_begun() {
  if (arguments_.on_unfinished != run_settings::unfinished::fail) {
    return {};
  }
  const auto begun = folder_->begun_by_others(job_->what.instance);
  if (!begun) {
    return {};
  }
  return fail(error_kind::conflict,
              "a run of this job is unfinished: its process ended in the middle, its folder is {}, and its "
              "destination keeps no marks to go on from (--on-unfinished fail). See what became of it; "
              "without the flag, or with --on-unfinished fresh, the job begins anew",
              in_quotes(*begun));
}

/// The tables that the run's marks stand in, as the job names them.
std::string marks_of(const delivery_settings& asked) {
  constexpr std::string_view by_default = "sluice";
  return asked.no_marks ? "none"
                        : std::string(asked.progress_table.empty() ? by_default : asked.progress_table);
}

/// The destination is asked in the tables that the job names: of a run whose marks stand in others only its
/// folder tells, and beginning anew would write its rows twice.
result<void> run_session::look_for_marks_elsewhere() {
  const auto before = folder_->last_unfinished_of_others(job_->what.instance);
  const delivery_settings& asked = job_->what.delivery;
  const std::string now = marks_of(asked);
  if (arguments_.on_unfinished == run_settings::unfinished::fresh || !before || before->marks.empty() ||
      before->marks == now) {
    return {};
  }
  const std::string& place = asked.progress_table_place;
  return fail(error{
      error_kind::conflict,
      fmt::format("{}: a run of this job is unfinished, and its marks stand elsewhere: it named {}, the "
                  "job names {} now. Its folder is {}. Put \"progressTable\" back as it was{} and run the "
                  "same command, which finishes that run; or begin anew with --on-unfinished fresh (what "
                  "it has written stays)",
                  place.empty() ? job_->what.writer.place : place, in_quotes(before->marks), in_quotes(now),
                  in_quotes(before->folder),
                  before->marks == marks_of({}) ? " (that name is the default)" : ""),
      "marks_elsewhere", true});
}

/// What may differ when a run is continued, with the value it had; `changes` are those of the job.
void run_session::tell_other_settings(const run_folder& older, std::vector<std::string> changes) {
  if (const auto before = read_stored_command(older.path())) {
    for (std::string& line : flag_changes(*before, command_to_keep(arguments_, job_->what, "", secrets_))) {
      changes.push_back(std::move(line));
    }
  }
  if (!changes.empty()) {
    log_->write(log_level::info, {},
                secrets_.apply("it goes on with other settings than it had: " +
                               changes_text(changes, settings_told_max)));
  }
}

/// The folder of the run that is continued, under whatever name it was begun, takes this one's place: its
/// dirty file goes on there, and so does the log.
result<void> run_session::adopt_folder_of(const run_id& continued) {
  if (continued == summary_.run) {
    return {};
  }
  auto opened = run_folder::open_earlier(state_directory_, job_->what.name, continued);
  if (!opened && opened.error().kind == error_kind::busy && arguments_.running == if_running::takeover) {
    return go_on_beside(continued);
  }
  if (!opened) {
    return fail(std::move(opened).error());
  }
  std::unique_ptr<run_folder> older = std::move(*opened);
  log_->set_run(continued);
  SLUICE_CHECK(log_->open_file(older->file("run.log")));
  const std::string now = secrets_.apply(job_->what.document);
  changed_job changes;
  if (const auto as_begun = read_file(older->file("job.json"), job_file_bytes_max)) {
    changes = job_changes(*as_begun, now);
  }
  if (!changes.data.empty()) {
    warn("changed since this run was worked on last: " + changes_text(changes.data));
  }
  tell_other_settings(*older, std::move(changes.settings));
  SLUICE_CHECK(older->write("job.json", now));
  before_ = committed_in(older->path());
  folder_->remove();
  folder_ = std::move(older);
  context_.run_folder = folder_->path();
  summary_.run = continued;
  return keep_command();
}

/// The process that the run was taken from, or one that was about to take it up, has its folder and may still
/// write there: this one's folder is the run's from here on.
result<void> run_session::go_on_beside(const run_id& continued) {
  const std::string from = run_folder::find(state_directory_, continued).value_or("");
  SLUICE_CHECK(folder_->take_over_from(from));
  before_ = committed_in(from);
  log_->set_run(continued);
  log_->write(log_level::info, {},
              fmt::format("another process has the folder {} still; the run goes on in {}", in_quotes(from),
                          in_quotes(folder_->path())));
  summary_.run = continued;
  return keep_command();
}

/// Before anything of the run is told or stored; the engine asks for the dirty file's folder after it.
void run_session::on_plan(const run_plan& plan) {
  if (plan.resumed) {
    adopted_ = adopt_folder_of(plan.run);
  }
  if (!adopted_) {
    return;
  }
  if (!plan.resumable) {
    carry_rows_of_others();
    folder_->clear_begun_of_others(job_->what.instance);
    if (auto marked = folder_->mark_begun(job_->what.instance); !marked) {
      warn(marked.error().message);
    }
    return;
  }
  if (auto marked = folder_->mark_unfinished(job_->what.instance, marks_of(job_->what.delivery)); !marked) {
    warn(marked.error().message);
  }
}

/// Whoever asks for a new beginning has none of them continued, also where the destination did not know them.
void run_session::on_forgot(const std::vector<run_id>& runs) {
  for (const run_id& run : runs) {
    run_folder::forget(state_directory_, run);
  }
  if (arguments_.on_unfinished == run_settings::unfinished::fresh) {
    folder_->clear_unfinished_of_others(job_->what.instance);
  }
}

/// Those of a killed run whose destination keeps no marks are beside this one's, as the next start must know
/// where this one is killed as well.
void run_session::carry_rows_of_others() {
  if (const auto left = folder_->left_by_others(job_->what.instance)) {
    carried_rows_ = left->rows;
    if (auto kept = folder_->keep_committed({carried_rows_, 0, false}); !kept) {
      warn(kept.error().message);
    }
  }
}

/// For a start that does not find the run's marks. Not at each of many small commits, but the first at once.
void run_session::on_committed(std::uint64_t rows, const repeated_rows& beside) {
  const committed_record now{carried_rows_ + rows, before_.repeated + beside.count,
                             before_.repeated_at_most || beside.at_most};
  const bool due = !committed_kept_at_ || steady::now() - *committed_kept_at_ >= committed_kept_each ||
                   now.repeated != committed_kept_.repeated;
  if (!due || now.rows + now.repeated == 0) {
    return;
  }
  committed_kept_at_ = steady::now();
  committed_kept_ = now;
  if (auto kept = folder_->keep_committed(now); !kept && !committed_warned_) {
    committed_warned_ = true;
    warn(kept.error().message);
  }
}

result<std::string> run_session::folder_of_continued(const run_id& continued) {
  if (!adopted_) {
    return fail(adopted_.error());
  }
  return continued == summary_.run
             ? result<std::string>(folder_->path())
             : fail(error_kind::internal, "run {} is continued but was not planned", continued.text());
}

/// What the engine cannot know of its end: the folder of a run that was only finished off, and what was
/// changed in the job since the unfinished run that stands in the way.
void run_session::complete(run_summary& ended) {
  const bool done = ended.state == run_state::succeeded || ended.state == run_state::succeeded_with_dirty;
  context_.planned = context_.planned || done;
  if (done && ended.resumed && ended.run != summary_.run) {
    if (auto adopted = adopt_folder_of(ended.run); !adopted) {
      warn(adopted.error().message);
    } else {
      // An earlier folder may be lost, with the text of what was refused.
      const std::uint64_t kept = lines_in(folder_->file("dirty.jsonl"));
      finished_missing_ = ended.counts.dirty - std::min(ended.counts.dirty, kept);
    }
  }
  ended.dirty_missing = finished_missing_.value_or(ended.dirty_missing);
  ended.repeated.count += before_.repeated;
  ended.repeated.at_most = ended.repeated.at_most || before_.repeated_at_most;
  const auto folder = ended.in_the_way ? run_folder::find(state_directory_, *ended.in_the_way) : std::nullopt;
  if (folder && ended.failure) {
    if (const auto as_run = read_file(*folder + "/job.json", job_file_bytes_max)) {
      const std::string changes =
          changes_text(job_changes(*as_run, secrets_.apply(job_->what.document)).data);
      ended.failure->message += fmt::format(". {}/job.json is the job as that run has it{}{}", *folder,
                                            changes.empty() ? "" : "; changed since: ", changes);
    }
  }
}

void run_session::warn(const std::string& text) {
  log_->write(log_level::warning, {}, secrets_.apply(text));
}

void run_session::write_metrics(const std::string& state, const record_counts& counts,
                                std::uint64_t splits_done, std::uint64_t splits_total, double run_seconds,
                                double records_per_second, double bytes_per_second) {
  if (!arguments_.metrics_file) {
    return;
  }
  run_metrics m;
  m.job_name = summary_.job_name;
  m.run = summary_.run;
  m.state = state;
  m.counts = counts;
  m.splits_done = splits_done;
  m.splits_total = splits_total;
  m.seconds = run_seconds;
  m.records_per_second = records_per_second;
  m.bytes_per_second = bytes_per_second;
  m.started_unix_ms = context_.started_unix_ms;
  m.written_unix_ms = parts_.unix_ms();
  // Readable by the scraper, as any file the user makes.
  const auto written = write_file_whole(*arguments_.metrics_file, metrics_text(m), 0666);
  if (!written && !metrics_warned_) {
    metrics_warned_ = true;
    warn("--metrics-file: " + written.error().message);
  }
}

/// Tells the run's audience what a comparison at its end finds.
class comparison_observer final : public verify_observer {
 public:
  explicit comparison_observer(run_observer& to) : to_(to) {}
  void planned(const verify_report& so_far) override {
    notice(notice_level::info, "what is written is compared. " + so_far.proves);
    notice(notice_level::info, fmt::format("sums: {}", so_far.sums_by));
    for (const std::string& note : so_far.notes) {
      notice(notice_level::info, note);
    }
  }
  void notice(notice_level level, const std::string& line) override { to_.notice(level, "verify", -1, line); }
  void progress(const std::string& doing, const progress_snapshot& now) override {
    if (pace_.is_due()) {
      notice(notice_level::info,
             fmt::format("{} to compare it: {} records so far", doing, with_thousands(now.counts.read)));
    }
  }

 private:
  run_observer& to_;
  comparing_pace pace_;
};

result<void> run_session::compare_written(const run_settings::written_totals& written,
                                          const run_settings& settings, run_observer& observer,
                                          const stop_signal& stop) {
  verify_settings v;
  v.time_zone = settings.time_zone;
  v.memory_bytes = settings.memory_bytes;
  v.folder = folder_->file("verify");
  v.run = written.run;
  v.before = {written.run,          written.counts.written, written.sums.written, std::string(canonical_name),
              written.counts.dirty, written.counts.ignored, written.counts.read,  written.sums.read};
  v.trusts_run = true;
  v.written_in = folder_->path();
  v.refused = [file = folder_->file("dirty.jsonl")](const auto& each) {
    tell_refused_by_destination(file, each);
  };
  v.differences_max = 10;
  v.retries_max = settings.retries_max;
  v.resolve_secret = settings.resolve_secret;
  v.guard = settings.guard;
  v.stop_now = settings.stop_now;
  std::error_code failed;
  std::filesystem::create_directory(v.folder, failed);
  comparison_observer told(observer);
  const verify_report report = verify_job(job_->what, *job_->reader, *job_->writer, v, told, stop);
  std::filesystem::remove_all(v.folder, failed);
  context_.verified = report;
  if (report.failure) {
    return fail(report.failure->kind, "setting.verify: {}", report.failure->message);
  }
  const bool equal = report.what != verify_report::verdict::different;
  const std::string text = verify_line(report);
  observer.notice(equal ? notice_level::info : notice_level::error, "verify", -1, text);
  if (!equal) {
    error different{error_kind::over_limit, "setting.verify: " + text, not_equal_code, false};
    return fail(std::move(different));
  }
  return {};
}

/// As `execute_run`; what is written is kept, so that it can be compared whatever the source is by then.
run_summary run_session::execute_keeping_rows(const run_settings& settings, run_observer& observer) {
  const job& what = job_->what;
  return execute_between(
      what,
      [&](const end_settings& given) -> result<job_ends> {
        SLUICE_TRY(job_ends ends, make_ends(what, *job_->reader, *job_->writer, given));
        if (job_->writer->read_back_of != nullptr) {
          ends.to = keeping_written_rows(
              ends.to, [this] { return folder_->path(); },
              row_form_of(*job_->writer, what.writer.parameter, settings.time_zone),
              written_rows_max(settings.memory_bytes));
        }
        return ends;
      },
      settings, observer, stop_.signal());
}

run_settings run_session::settings_of_run(bool live) {
  run_settings settings;
  settings.memory_bytes = context_.memory.bytes;
  settings.stop_timeout = arguments_.stop_timeout;
  settings.stall_timeout = arguments_.stall_timeout;
  settings.report_interval =
      live ? std::min(live_interval, arguments_.report_interval) : arguments_.report_interval;
  settings.duration_max = arguments_.duration_max;
  settings.retries_max =
      arguments_.retries_max.value_or(parts_.configured.retries_max.value_or(settings.retries_max));
  settings.run_folder = folder_->path();
  settings.time_zone = context_.zone;
  settings.time_zone_origin = context_.zone_origin;
  settings.on_unfinished = arguments_.on_unfinished;
  settings.resume_window = std::chrono::ceil<std::chrono::seconds>(arguments_.resume_window);
  if (const auto left = folder_->left_by_others(job_->what.instance)) {
    const std::uint64_t now = parts_.unix_ms();
    settings.left = {left->run, left->rows,
                     std::chrono::seconds((now - std::min(now, left->unix_ms)) / 1000)};
  }
  settings.only = arguments_.only;
  settings.pre_sql_unsure = arguments_.pre_sql_unsure;
  settings.post_sql_unsure = arguments_.post_sql_unsure;
  settings.once = arguments_.once;
  settings.same_ends = arguments_.same_ends;
  settings.takeover = arguments_.running == if_running::takeover;
  settings.begin_anew = arguments_.begin_anew;
  settings.run = summary_.run;
  settings.guard = guard_;
  settings.stop_now = stop_now_.signal();
  settings.folder_of_continued = [this](const run_id& continued) { return folder_of_continued(continued); };
  return settings;
}

reporter::settings run_session::settings_of_reporter(bool live) {
  reporter::settings shown;
  shown.job_name = job_->what.name;
  shown.ends_text = ends_text(job_->what.reader, job_->what.writer);
  shown.zone_text = fmt::format("{} ({})", escaped(context_.zone), context_.zone_origin);
  const job& what = job_->what;
  if (what.planned && (what.planned->given || !what.date_place.empty())) {
    shown.zone_text +=
        fmt::format("; planned time {} ({})", what.planned->text(), escaped(what.planned->origin));
    if (what.planned->origin == "now") {
      shown.notes.push_back(fmt::format(
          "{}: dates are counted from the planned time, which is now; to keep them when the run is "
          "repeated, give --cyctime, --bizdate or --at",
          what.date_place));
    }
  }
  shown.memory_text = fmt::format("{} ({})", bytes_text(context_.memory.bytes), context_.memory.origin);
  shown.show_progress = !arguments_.no_progress;
  shown.show_live = live;
  shown.report_interval = arguments_.report_interval;
  shown.warnings = context_.warnings;
  shown.on_plan = [this](const run_plan& plan) { on_plan(plan); };
  shown.on_forgot = [this](const std::vector<run_id>& runs) { on_forgot(runs); };
  shown.on_committed = [this](std::uint64_t rows, const repeated_rows& beside) {
    on_committed(rows, beside);
  };
  shown.on_report = [this](const progress_snapshot& now) {
    write_metrics("running", now.counts, now.splits_done, now.splits_total, now.seconds,
                  now.records_per_second, now.bytes_per_second);
    if (datax_) {
      print_out(parts_, datax_->progress(now, parts_.unix_ms()));
    }
  };
  return shown;
}

std::optional<planned_time> run_session::execute() {
  const bool live =
      parts_.err_is_terminal && !arguments_.no_progress && arguments_.format == log_format::text;
  run_settings settings = settings_of_run(live);
  reporter::settings shown = settings_of_reporter(live);
  const reporter* told = nullptr;
  shown.on_ended = [this, &told](const run_summary& now) {
    if (now.plan_as) {
      return;  // It begins again at once.
    }
    context_.planned = told->was_planned();
    context_.first_dirty = told->first_dirty();
    context_.warnings = told->warnings();
    run_summary shown_now = now;
    complete(shown_now);
    write_summary(shown_now);
  };
  reporter observer(screen_, *log_, secrets_, std::move(shown));
  told = &observer;
  secret_resolver resolver(resolving_into(secrets_, parts_.variable, [&observer](const std::string& line) {
    observer.notice(notice_level::warning, "secrets", -1, line);
  }));
  settings.resolve_secret = [&resolver](const secret_text& written, const stop_signal& stop) {
    return resolver.resolve(written, stop);
  };
  if (job_->what.verify) {
    settings.verify_written = [&](const run_settings::written_totals& written, const stop_signal& stop) {
      return compare_written(written, settings, observer, stop);
    };
  }
  run_summary ended = job_->what.verify ? execute_keeping_rows(settings, observer)
                                        : parts_.execute(job_->what, *job_->reader, *job_->writer, settings,
                                                         observer, stop_.signal());
  if (ended.plan_as) {
    return ended.plan_as;
  }
  observer.finish();
  ended.job_name = job_->what.name;
  ended.job_key = job_->what.key;
  context_.planned = observer.was_planned();
  context_.first_dirty = observer.first_dirty();
  context_.warnings = observer.warnings();
  complete(ended);
  summary_ = std::move(ended);
  return std::nullopt;
}

/// To the run folder and to `--summary`. Also called by the engine's end, before the claim on the destination
/// is given back: a run that somebody else may follow has its summary.
void run_session::write_summary(const run_summary& summary) {
  {
    const std::lock_guard lock(mutex_);
    context_.stopped_by = stopped_by_;
  }
  context_.seconds = seconds();
  std::error_code ignored;
  const std::string dirty = context_.run_folder + "/dirty.jsonl";
  context_.dirty_file = std::filesystem::exists(dirty, ignored) ? dirty : "";
  const std::string pending = context_.run_folder + "/dirty.pending";
  context_.dirty_pending = std::filesystem::exists(pending, ignored) ? pending : "";
  context_.exit_code = context_.skipped
                           ? exit_skipped
                           : exit_code_of(summary, arguments_.fail_on_dirty, !context_.stopped_by.empty());
  if (datax_ && context_.exit_code == exit_wrong_use) {
    context_.exit_code = exit_failed;  // DataX knows no other code for a job that is wrong.
  }
  summary_text_ = summary_json(summary, context_, secrets_);
  if (folder_) {
    if (auto written = folder_->write("summary.json", summary_text_); !written) {
      warn(written.error().message);
    }
  }
  if (arguments_.summary_file) {
    // 0666: readable as any file the user makes, by the umask.
    if (auto written = write_file_whole(*arguments_.summary_file, summary_text_, 0666); !written) {
      context_.summary_trouble = written.error().message;
    }
  }
}

/// Bare lines for people; in JSON every line on standard error stays an object.
void run_session::show_report() {
  for (const report_line& line : end_report(summary_, context_)) {
    const std::string text = secrets_.apply(line.text);
    const log_level level = line.level == notice_level::info      ? log_level::info
                            : line.level == notice_level::warning ? log_level::warning
                                                                  : log_level::error;
    if (arguments_.format == log_format::json) {
      log_->write(level, {}, text);
    } else {
      log_->write_file_only(level, text);
      screen_.print(text + "\n");
    }
  }
}

void run_session::keep_or_forget() {
  if (!folder_) {
    return;
  }
  if (!context_.nothing_done.empty()) {
    folder_->remove();  // It is no run.
    folder_.reset();
    return;
  }
  folder_->clear_begun();
  // Of one that was taken over here the process that has it takes the mark away.
  if (!summary_.resumable && summary_.rows_unmarked == 0 && !taken_over_to(folder_->path())) {
    folder_->clear_unfinished();
  }
  const bool done =
      summary_.state == run_state::succeeded || summary_.state == run_state::succeeded_with_dirty;
  if (done) {
    folder_->clear_unfinished_of_others(job_->what.instance);
  }
  folder_.reset();
  sweep_run_folders(state_directory_, job_->what.name, parts_.unix_ms());
}

int run_session::end() {
  write_summary(summary_);
  if (log_ && !log_->file_trouble().empty()) {
    warn("run.log lacks lines: " + log_->file_trouble());
  }
  const double total = context_.seconds > 0 ? context_.seconds : 1;
  // Of one that did nothing the file stays that of the last one that did.
  if (context_.nothing_done.empty()) {
    write_metrics(std::string(to_string(summary_.state)), summary_.counts, summary_.splits_done,
                  summary_.splits_total, context_.seconds,
                  static_cast<double>(summary_.counts.read - summary_.counts_before.read) / total,
                  static_cast<double>(summary_.counts.bytes - summary_.counts_before.bytes) / total);
  }
  if (arguments_.on_end && context_.nothing_done.empty()) {
    if (auto ran = run_end_hook(*arguments_.on_end, summary_text_); !ran) {
      warn(ran.error().message);
    }
  }
  show_report();
  if (arguments_.json) {
    print_out(parts_, summary_text_);
  }
  if (datax_) {
    print_out(parts_, secrets_.apply(datax_->ended(summary_, context_)));
  }
  keep_or_forget();
  return context_.exit_code;
}

int run_session::run() {
  if (const auto begun = begin_log_and_signals(); !begun) {
    write_out(parts_.err_fd, "sluice: " + begun.error().message + "\n");
    return exit_failed;
  }
  result<void> ready = load();
  if (arguments_.report == report_form::datax) {
    datax_.emplace(context_.started_unix_ms, job_ && !job_->what.transformers.empty(), local_clock_text);
  }
  if (ready) {
    guard_statements();
    ready = choose_zone_and_memory();
  }
  if (ready) {
    ready = open_folder();
  }
  if (ready) {
    ready = look_for_begun();
  }
  if (ready) {
    ready = look_for_marks_elsewhere();
  }
  if (ready) {
    ready = execute_as_planned();
    while (ready && is_claimed() && arguments_.running == if_running::wait && wait_for_its_end()) {
      ready = execute_as_planned();
    }
  }
  if (!ready) {
    summary_.state = run_state::failed;
    summary_.failure = ready.error();
  }
  judge_nothing_done();
  return end();
}

/// With the planned time of the run that is continued, where it has another.
result<void> run_session::execute_as_planned() {
  const auto kept = execute();
  if (!kept) {
    return {};
  }
  SLUICE_CHECK(plan_again(*kept));
  return execute()
             ? fail(error_kind::conflict, "another run of this job was continued meanwhile; run it again")
             : result<void>();
}

/// A living process is in the way: it works on the job, or on a table that one of the two empties.
bool run_session::is_claimed() const {
  return summary_.failure &&
         (summary_.failure->code == claimed_code || summary_.failure->code == emptied_code);
}

/// False where the wait came to its own end: by a signal or --wait-max. A process that has come between is
/// waited for within the same time.
bool run_session::wait_for_its_end() {
  waiting_since_ = waiting_since_.value_or(steady::now());
  const auto deadline = *waiting_since_ + arguments_.wait_max;
  const std::string max = duration_text(std::chrono::duration<double>(arguments_.wait_max).count());
  log_->write(log_level::info, {},
              secrets_.apply(
                  fmt::format("waiting up to {} (--if-running wait): {}", max, summary_.failure->message)));
  auto told = steady::now();
  auto pause = running_looked_at_min;
  do {
    const auto now = steady::now();
    if (now >= deadline) {
      summary_.failure->message += fmt::format("; it was waited for as long as --wait-max says, {}", max);
      summary_.retryable = true;
      return false;
    }
    if (!wait(-1, wait_for::readable, std::min(now + pause, deadline), stop_.signal())) {
      summary_.state = run_state::stopped;
      summary_.failure.reset();
      summary_.how_to_go_on = "It waited for another process; nothing was changed.";
      return false;
    }
    pause = std::min(2 * pause, running_looked_at_max);
    if (steady::now() - told >= running_told_again) {
      told = steady::now();
      log_->write(log_level::info, {},
                  secrets_.apply(fmt::format(
                      "still waiting, for {}: {}",
                      duration_text(std::chrono::duration<double>(told - *waiting_since_).count()),
                      summary_.failure->message)));
    }
  } while (still_claimed());
  return true;
}

/// Looks at both ends as `sluice plan` does, which changes nothing, and keeps who is in the way. What else is
/// wrong there the run will say.
bool run_session::still_claimed() {
  look_settings settings;
  settings.time_zone = context_.zone;
  settings.memory_bytes = context_.memory.bytes;
  settings.on_unfinished = arguments_.on_unfinished;
  settings.resume_window = std::chrono::ceil<std::chrono::seconds>(arguments_.resume_window);
  settings.plan_splits = false;
  settings.same_ends = arguments_.same_ends;
  settings.guard = guard_;
  secret_resolver resolver(
      resolving_into(secrets_, parts_.variable, [this](const std::string& line) { warn(line); }));
  settings.resolve_secret = [&resolver](const secret_text& written, const stop_signal& stop) {
    return resolver.resolve(written, stop);
  };
  job_look found = parts_.look(job_->what, *job_->reader, *job_->writer, settings, stop_.signal());
  if (!found.failure) {
    return false;
  }
  if (found.failure->kind == error_kind::cancelled) {
    return true;  // the wait sees the signal, too
  }
  const bool claimed = found.failure->code == claimed_code || found.failure->code == emptied_code;
  if (claimed) {
    summary_.failure = std::move(found.failure);
  }
  return claimed;
}

/// Ends that are as they should be although the run did nothing.
void run_session::judge_nothing_done() {
  if (!summary_.failure) {
    return;
  }
  if (summary_.failure->code == done_code && (arguments_.once || arguments_.passes_done)) {
    context_.nothing_done = fmt::format("Done before: {}.", summary_.failure->message);
    if (arguments_.once && !arguments_.passes_done) {
      summary_.state = run_state::succeeded;
      summary_.failure.reset();
    }
  } else if (is_claimed() && arguments_.running == if_running::skip) {
    context_.skipped = true;
    context_.nothing_done = fmt::format("Skipped (--if-running skip): {}.", summary_.failure->message);
  }
  if (!context_.nothing_done.empty()) {
    context_.run_folder.clear();
  }
}

}  // namespace

int exit_code_of(const run_summary& summary, bool fail_on_dirty, bool stopped_by_signal) {
  switch (summary.state) {
    case run_state::succeeded:
      return exit_success;
    case run_state::succeeded_with_dirty:
      return fail_on_dirty ? exit_failed : exit_success;
    case run_state::stopped:
      // A run that was stopped by --max-duration failed to do its work in time.
      return stopped_by_signal ? exit_stopped : exit_failed;
    case run_state::failed:
      break;
  }
  if (summary.failure && summary.failure->code == taken_over_code) {
    return exit_taken_over;
  }
  return summary.wrong_job ? exit_wrong_use : exit_failed;
}

int run_command(const run_arguments& arguments, const program& parts) {
  return run_session(arguments, parts).run();
}

}  // namespace sluice
