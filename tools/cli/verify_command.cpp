#include "tools/cli/verify_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tools/cli/console.h"
#include "tools/cli/files.h"
#include "tools/cli/job_loading.h"
#include "tools/cli/memory_limit.h"
#include "tools/cli/progress_text.h"
#include "tools/cli/refused_records.h"
#include "tools/cli/run_folder.h"
#include "tools/cli/run_record.h"
#include "tools/cli/signal_watch.h"
#include "tools/cli/state_directory.h"
#include "tools/cli/verify_text.h"
#include "transport/base/text.h"
#include "transport/record/canonical.h"

namespace sluice {
namespace {

constexpr std::uint64_t summary_bytes_max = std::uint64_t{64} << 20;

/// A folder of its own for what is needed meanwhile; gone with the object.
class scratch_folder {
 public:
  scratch_folder() = default;
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  ~scratch_folder() {
    std::error_code ignored;
    if (!path_.empty()) {
      std::filesystem::remove_all(path_, ignored);
    }
  }
  result<void> make(const environment& variable) {
    std::string path = variable("TMPDIR").value_or("/tmp") + "/sluice-verify-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) {
      return fail(error_kind::no_room, "cannot make the folder {}: {}; TMPDIR chooses another place",
                  in_quotes(path), std::strerror(errno));
    }
    path_ = std::move(path);
    return {};
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Shows what happens on standard error, and the plan where it belongs.
class screen_observer final : public verify_observer {
 public:
  screen_observer(console& screen, const secret_filter& secrets, bool shows_progress,
                  std::function<void(const verify_report&)> on_plan)
      : screen_(screen), secrets_(secrets), shows_progress_(shows_progress), on_plan_(std::move(on_plan)) {}

  void planned(const verify_report& so_far) override { on_plan_(so_far); }
  void notice(notice_level level, const std::string& line) override {
    screen_.print(
        fmt::format("sluice: {}{}\n", level == notice_level::info ? "" : "warning: ", secrets_.apply(line)));
  }
  void progress(const std::string& doing, const progress_snapshot& now) override {
    if (!shows_progress_) {
      return;
    }
    if (screen_.is_terminal()) {
      screen_.show_live(live_lines(doing, now, screen_.columns()));
    } else if (pace_.is_due()) {
      screen_.print(fmt::format("{}: {} records, {}/s; {} of {} splits\n", doing,
                                with_thousands(now.counts.read), rate_text(now.records_per_second),
                                now.splits_done, now.splits_total));
    }
  }

 private:
  console& screen_;
  const secret_filter& secrets_;
  bool shows_progress_;
  comparing_pace pace_;
  std::function<void(const verify_report&)> on_plan_;
};

/// What the newest run of this job with these parameters has written, and its folder; nothing where the state
/// directory knows none, or that one is not done.
std::optional<std::pair<written_by_run, std::string>> last_run_of(const job& what, const std::string& state) {
  const auto runs = runs_in_state(state);
  if (!runs) {
    return std::nullopt;
  }
  for (const run_record& one : *runs) {
    const auto text = read_file(one.folder + "/summary.json", summary_bytes_max);
    const auto summary = text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
    if (!summary.is_object()) {
      if (one.job == what.name) {
        return std::nullopt;  // killed, or at work: nobody knows what it has left
      }
      continue;
    }
    if (summary.value("job_key", nlohmann::json()) != what.key ||
        summary.value("instance", nlohmann::json()) != what.instance) {
      continue;
    }
    const auto sums = summary.value("sums", nlohmann::json::object());
    const auto text_of = [&](const char* name) {
      const auto found = sums.is_object() ? sums.value(name, nlohmann::json()) : nlohmann::json();
      return found.is_string() ? found.get<std::string>() : std::string();
    };
    const auto sum = row_sum_from(text_of("written"));
    const auto read_sum = row_sum_from(text_of("read"));
    if (!is_done(one.state) || !sum || !read_sum) {
      return std::nullopt;
    }
    const auto count = [&](const char* name) { return summary.value(name, std::uint64_t{0}); };
    return std::pair(written_by_run{one.run, count("written"), *sum, text_of("form"), count("dirty"),
                                    count("ignored"), count("read"), *read_sum},
                     one.folder);
  }
  return std::nullopt;
}

/// Everything of one call.
class verify_session {
 public:
  verify_session(const verify_arguments& arguments, const program& parts)
      : arguments_(arguments),
        parts_(parts),
        screen_(parts.err_fd, parts.err_is_terminal),
        secrets_(arguments.parameters) {}

  int run();

 private:
  int complain(const std::string& message, int code) {
    screen_.print(fmt::format("sluice: {}\n", secrets_.apply(message)));
    return code;
  }
  result<void> begin_signals() {
    auto told = [this](const char* name, bool first) {
      stopped_by_signal_ = true;
      screen_.print(fmt::format("sluice: {}: {}\n", name, first ? "stopping" : "ending at once"));
    };
    SLUICE_TRY(watch_, signal_watch::begin(stop_, stop_now_, std::move(told), parts_.exit_now));
    return {};
  }
  result<verify_settings> settings_for(const loaded_job& job, const zone_choice& zone);
  int show(const verify_report& report, const std::string& job_name);
  /// Of a job that cannot be begun with: the same to whoever reads JSON.
  int show_unbegun(const error& why, const std::string& job_name, int code) {
    if (arguments_.json) {
      verify_report report;
      report.failure = why;
      print_out(parts_, secrets_.apply(verify_json(report, job_name)));
    }
    return complain(why.message, code);
  }

  const verify_arguments& arguments_;
  const program& parts_;
  console screen_;
  secret_filter secrets_;
  scratch_folder scratch_;
  stop_source stop_, stop_now_;
  std::atomic<bool> stopped_by_signal_ = false;
  std::unique_ptr<signal_watch> watch_;
};

result<verify_settings> verify_session::settings_for(const loaded_job& job, const zone_choice& zone) {
  verify_settings settings;
  settings.time_zone = zone.name;
  settings.memory_bytes =
      choose_memory(arguments_.memory_bytes, parts_.configured,
                    arguments_.memory_bytes ? std::nullopt : cgroup_memory_limit(parts_.system_root))
          .bytes;
  SLUICE_CHECK(scratch_.make(parts_.variable));
  settings.folder = scratch_.path();
  settings.run = new_run_id(parts_.unix_ms());
  settings.scope = arguments_.scope;
  settings.key = arguments_.key;
  settings.differences_max = arguments_.differences_max;
  settings.plan_only = arguments_.plan;
  settings.reads_back = arguments_.read_back;
  settings.retries_max = parts_.configured.retries_max.value_or(settings.retries_max);
  settings.stop_now = stop_now_.signal();
  if (!arguments_.against_source) {
    const auto last = last_run_of(
        job.what, choose_state_directory(arguments_.state_dir, parts_.configured, parts_.variable).path);
    if (last) {
      settings.before = last->first;
      settings.written_in = last->second;
      settings.refused = [file = last->second + "/dirty.jsonl"](const auto& each) {
        tell_refused_by_destination(file, each);
      };
    }
  }
  SLUICE_TRY(settings.guard, begin_guard(job));
  return settings;
}

int verify_session::show(const verify_report& report, const std::string& job_name) {
  screen_.clear_live();
  if (arguments_.json) {
    print_out(parts_, secrets_.apply(verify_json(report, job_name)));
  } else if (!report.failure && !arguments_.plan) {
    print_out(parts_, secrets_.apply(verify_result_text(report)));
  }
  if (report.failure) {
    if (stopped_by_signal_ && report.failure->kind == error_kind::cancelled) {
      return complain("stopped; nothing is known of what was compared", exit_stopped);
    }
    return complain(report.failure->message, report.wrong_job ? exit_wrong_use : exit_failed);
  }
  return report.what == verify_report::verdict::different ? exit_failed : exit_success;
}

int verify_session::run() {
  if (auto begun = begin_signals(); !begun) {
    return show_unbegun(begun.error(), "", exit_failed);
  }
  const auto loaded = load_for_command(arguments_.job_file, arguments_, parts_, secrets_);
  if (!loaded) {
    return show_unbegun({error_kind::bad_option, all_lines(loaded.error()), "", false}, "", exit_wrong_use);
  }
  for (const std::string& line : loaded->what.warnings) {
    complain("warning: " + line, 0);
  }
  zone_choice zone;
  if (auto chosen = choose_zone_for(loaded->what, arguments_, parts_, zone); !chosen) {
    return show_unbegun(chosen.error(), loaded->what.name, zone.text_only ? exit_wrong_use : exit_failed);
  }
  auto settings = settings_for(*loaded, zone);
  if (!settings) {
    return show_unbegun(settings.error(), loaded->what.name, exit_failed);
  }
  secret_resolver resolver(resolving_into(
      secrets_, parts_.variable, [this](const std::string& line) { complain("warning: " + line, 0); }));
  settings->resolve_secret = [&resolver](const secret_text& written, const stop_signal& stop) {
    return resolver.resolve(written, stop);
  };
  const std::string& name = loaded->what.name;
  screen_observer observer(screen_, secrets_, !arguments_.no_progress, [&](const verify_report& so_far) {
    if (!arguments_.json) {
      print_out(parts_, secrets_.apply(verify_plan_text(so_far, name)));
    }
  });
  return show(verify_job(loaded->what, *loaded->reader, *loaded->writer, *settings, observer, stop_.signal()),
              name);
}

}  // namespace

int verify_command(const verify_arguments& arguments, const program& parts) {
  return verify_session(arguments, parts).run();
}

}  // namespace sluice
