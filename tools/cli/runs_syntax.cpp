#include "tools/cli/command_syntax.h"
#include "tools/cli/run_flags.h"
#include "tools/cli/run_record.h"
#include "transport/base/units.h"

namespace sluice {
namespace {

/// `--since`: a time ago, or a time in UTC.
result<void> put_since(runs_list_arguments& to, const std::string& text) {
  if (text.empty()) {
    return {};
  }
  if (const auto ago = parse_duration(text)) {
    to.age_max = *ago;
    return {};
  }
  planned_flags as;
  as.cyctime = text.size() == 10 ? text + " 00:00:00" : text;
  const auto read = planned_times(as);
  if (!read || !read->front().time) {
    return usage(fmt::format(
        "--since takes a time ago, such as 2h or 7d, or a time in UTC, such as 2026-11-27 or \"2026-11-27 "
        "10:30:00\"; found {}",
        in_quotes(text)));
  }
  to.since_unix_ms =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, read->front().time->time_since_epoch().count())) *
      1000;
  return {};
}

result<std::vector<std::string>> states_of(const std::vector<std::string>& texts) {
  std::vector<std::string> states;
  const auto words = run_state_words();
  for (const std::string& text : texts) {
    std::size_t at = 0;
    while (at <= text.size()) {
      const std::size_t end = std::min(text.find(',', at), text.size());
      const std::string word = text.substr(at, end - at);
      if (std::find(words.begin(), words.end(), word) == words.end()) {
        return usage(fmt::format("--state takes {}; found {}", fmt::join(words, ", "), in_quotes(word)),
                     std::string(nearest(word, words)));
      }
      states.push_back(word);
      at = end + 1;
    }
  }
  return states;
}

/// `sluice runs` with its four commands.
class runs_flags final : public command_syntax {
 public:
  void describe(CLI::App& app) override;
  [[nodiscard]] result<command> given() const override;

 private:
  void describe_clean();
  [[nodiscard]] result<command> given_list() const;
  [[nodiscard]] result<command> given_resume() const;
  [[nodiscard]] result<command> given_clean() const;

  CLI::App* list_ = nullptr;
  CLI::App* show_ = nullptr;
  CLI::App* resume_ = nullptr;
  CLI::App* clean_ = nullptr;
  std::string state_dir_, job_, since_, limit_, run_, older_than_, keep_, size_max_;
  std::vector<std::string> states_, runs_, parameters_, set_;
  bool json_ = false, unfinished_ = false, dry_run_ = false;
  run_flags work_;
};

void runs_flags::describe(CLI::App& app) {
  list_ = app.add_subcommand("list", "List runs, the newest first");
  show_ = app.add_subcommand("show", "Show all that is known of a run");
  resume_ = app.add_subcommand("resume", "Give the command of an unfinished run again, which continues it");
  clean_ = app.add_subcommand("clean", "Remove folders of runs that are not needed any more");
  for (CLI::App* one : {list_, show_, resume_, clean_}) {
    one->set_help_flag("-h,--help", "Print this help and exit");
    one->allow_extras();
  }
  for (CLI::App* one : {list_, show_, clean_}) {
    one->add_option("--state-dir", state_dir_, "Where run folders are kept; default: as for sluice run")
        ->type_name("DIR");
    one->add_flag("--json", json_, "Print JSON");
  }
  for (CLI::App* one : {list_, clean_}) {
    one->add_option("--job", job_, "Only runs of this job; a pattern may have * and ?")->type_name("NAME");
  }
  list_
      ->add_option("--state", states_,
                   "Only runs in this state: running, succeeded, succeeded_with_dirty, done (both of "
                   "these), failed, stopped, killed (its process ended without an end of the run), "
                   "unreadable (its folder is another user's), or resumable. May be repeated")
      ->type_name("STATE")
      ->allow_extra_args(false);
  list_->add_option("--since", since_, "Only runs that began since then: 2h, 7d, 2026-11-27 (in UTC)")
      ->type_name("TIME");
  list_->add_option("--limit", limit_, "How many are shown; 0: all. Default: 50")->type_name("N");
  const std::string which =
      "Id of the run, a job's name for its newest run, or a part of an id from its beginning or end";
  show_->add_option("RUN", run_, which);
  resume_->add_option("RUN", run_, which);
  resume_->add_option("-p,--param", parameters_, "Parameter that is a secret and is not kept")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  resume_->add_option("--set", set_, "Value at a path of the job, in place of what the command had there")
      ->type_name("PATH=VALUE")
      ->allow_extra_args(false);
  work_.describe_work(*resume_);
  resume_->footer(
      "The command is given as it was, in its folder; flags here take the place of what it had.\n"
      "Where the job was changed so that it would not go on, nothing is done. Exit codes: those of\n"
      "sluice run; 1 also where the run is done, at work or not resumable.");
  describe_clean();
}

void runs_flags::describe_clean() {
  clean_->add_option("RUN", runs_, "Runs to remove, as for show; default: those beyond a bound");
  clean_->add_option("--older-than", older_than_, "Age beyond which runs go; default: 30d")
      ->type_name("TIME");
  clean_->add_option("--keep", keep_, "How many runs of a job stay; default: 50")->type_name("N");
  clean_->add_option("--max-size", size_max_, "Size of all together beyond which the oldest go; default: 10G")
      ->type_name("SIZE");
  clean_->add_flag("--unfinished", unfinished_,
                   "Runs that can be continued, too; what they have in the destination stays");
  clean_->add_flag("--dry-run", dry_run_, "Say what would go, and remove nothing");
}

result<command> runs_flags::given() const {
  for (CLI::App* one : {list_, clean_}) {
    if (one->parsed() && one->count("--job") != 0 && job_.empty()) {
      return usage("--job takes the name of a job, or a pattern with * and ?; found \"\"");
    }
  }
  if (list_->parsed()) {
    return given_list();
  }
  if (clean_->parsed()) {
    return given_clean();
  }
  if (show_->parsed() || resume_->parsed()) {
    if (run_.empty()) {
      return usage(fmt::format("the run is missing: sluice runs {} RUN; sluice runs list shows what there is",
                               show_->parsed() ? "show" : "resume"));
    }
    return show_->parsed() ? runs_show_arguments{given_text(state_dir_), run_, json_} : given_resume();
  }
  return usage("what to do is missing: sluice runs list, show RUN, resume RUN or clean");
}

result<command> runs_flags::given_list() const {
  runs_list_arguments list;
  list.state_dir = given_text(state_dir_);
  list.job = given_text(job_);
  list.json = json_;
  SLUICE_TRY(list.states, states_of(states_));
  SLUICE_CHECK(put_since(list, since_));
  if (!limit_.empty()) {
    SLUICE_TRY(list.limit, limit_of("--limit", limit_));
  }
  return list;
}

result<command> runs_flags::given_resume() const {
  runs_resume_arguments resume;
  // Looked at here, so that a wrong value is told before anything is read.
  run_arguments checked;
  SLUICE_CHECK(work_.put_into(checked));
  SLUICE_CHECK(put_parameters(checked.parameters, checked.literal_parameters, parameters_));
  SLUICE_CHECK(paths_and_values(set_));
  resume.state_dir = checked.state_dir;
  resume.run = run_;
  resume.running = checked.running;
  for (std::string& word : given_words(*resume_)) {
    if (word.starts_with("--") && !word.starts_with("--state-dir=")) {
      resume.changes.push_back(std::move(word));
    }
  }
  return resume;
}

result<command> runs_flags::given_clean() const {
  runs_clean_arguments clean;
  clean.state_dir = given_text(state_dir_);
  clean.runs = runs_;
  clean.job = given_text(job_);
  clean.json = json_;
  clean.unfinished = unfinished_;
  clean.dry_run = dry_run_;
  if (!runs_.empty() && (clean.job || !older_than_.empty() || !keep_.empty() || !size_max_.empty())) {
    return usage(
        "runs that are named go whatever the bounds: leave out --job, --older-than, --keep and --max-size");
  }
  if (!older_than_.empty()) {
    SLUICE_TRY(clean.age_max, time_of("--older-than", older_than_));
  }
  if (!keep_.empty()) {
    SLUICE_TRY(clean.runs_per_job_max, limit_of("--keep", keep_));
  }
  if (!size_max_.empty()) {
    const auto bytes = parse_size(size_max_);
    if (!bytes) {
      return fail(error_kind::bad_option, "--max-size: {}", bytes.error().message);
    }
    clean.bytes_max = *bytes;
  }
  return clean;
}

}  // namespace

std::unique_ptr<command_syntax> runs_syntax() {
  return std::make_unique<runs_flags>();
}

}  // namespace sluice
