#include "tools/cli/log.h"

#include <fcntl.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <nlohmann/json.hpp>
#include <vector>

#include "transport/base/text.h"

namespace sluice {
namespace {

/// How many bytes of lines are kept for a file that is not open yet; there are few before a run has its
/// folder.
constexpr std::size_t early_bytes_max = std::size_t{64} << 10;

spdlog::level::level_enum level_of(log_level level) {
  switch (level) {
    case log_level::debug:
      return spdlog::level::debug;
    case log_level::info:
      return spdlog::level::info;
    case log_level::warning:
      return spdlog::level::warn;
    case log_level::error:
      break;
  }
  return spdlog::level::err;
}

std::unique_ptr<spdlog::formatter> make_formatter(log_format format) {
  const char* pattern = format == log_format::json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%v})"
                                                   : "%Y-%m-%dT%H:%M:%S.%e%z %-7l %v";
  return std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::local, "\n");
}

/// Hands each formatted line to a function.
class function_sink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit function_sink(std::function<void(std::string_view)> show) : show_(std::move(show)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    show_(std::string_view(line.data(), line.size()));
  }
  void flush_() override {}

 private:
  std::function<void(std::string_view)> show_;
};

/// A line break in a text would forge a line of the log.
std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

struct log::state {
  log_format format;
  mutable std::mutex mutex;
  std::string run_text;
  std::shared_ptr<spdlog::logger> shown;
  std::shared_ptr<spdlog::logger> file;
  std::vector<std::pair<log_level, std::string>> early;  ///< Payloads not yet in a file.
  std::size_t early_bytes = 0;
  std::string trouble;

  [[nodiscard]] std::string payload(const log_place& place, std::string_view text) const;
  void to_file(log_level level, const std::string& line);
};

std::string log::state::payload(const log_place& place, std::string_view text) const {
  if (format == log_format::json) {
    nlohmann::ordered_json members;
    members["run"] = run_text;
    members["split"] = place.split < 0 ? nlohmann::ordered_json() : nlohmann::ordered_json(place.split);
    members["actor"] = place.actor;
    members["message"] = text;
    // The pattern writes the braces, so that spdlog puts in time and level.
    const std::string object = members.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    return object.substr(1, object.size() - 2);
  }
  // The last 12 digits tell runs apart for a reader; the file's folder has the whole id.
  std::string line = "run " + run_text.substr(run_text.size() - 12);
  if (place.split >= 0) {
    line += fmt::format(" split {}", place.split);
  }
  if (!place.actor.empty()) {
    line += fmt::format(" {}", place.actor);
  }
  return line + ": " + one_line(text);
}

void log::state::to_file(log_level level, const std::string& line) {
  if (file) {
    file->log(level_of(level), spdlog::string_view_t(line));
    return;
  }
  if (early_bytes + line.size() <= early_bytes_max) {
    early_bytes += line.size();
    early.emplace_back(level, line);
  }
}

log::log(std::unique_ptr<state> s) : state_(std::move(s)) {}
log::~log() = default;

result<std::unique_ptr<log>> log::make(log_format format, log_level level, const run_id& run,
                                       std::function<void(std::string_view)> show) {
  try {
    auto s = std::make_unique<state>();
    s->format = format;
    s->run_text = run.text();
    s->shown = std::make_shared<spdlog::logger>("shown", std::make_shared<function_sink>(std::move(show)));
    s->shown->set_formatter(make_formatter(format));
    s->shown->set_level(level_of(level));
    // A terminal that went away must not end a run, and there is nobody left to tell.
    s->shown->set_error_handler([](const std::string&) {});
    return std::unique_ptr<log>(new log(std::move(s)));
  } catch (const std::exception& e) {
    return fail(error_kind::internal, "the log could not be made: {}", e.what());
  }
}

result<void> log::open_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    const int problem = errno;
    return fail(problem == ENOSPC || problem == EDQUOT ? error_kind::no_room : error_kind::denied,
                "the log file {} cannot be written: {}", in_quotes(path), std::strerror(problem));
  }
  ::close(fd);
  try {
    const std::lock_guard lock(state_->mutex);
    auto file =
        std::make_shared<spdlog::logger>("file", std::make_shared<spdlog::sinks::basic_file_sink_mt>(path));
    file->set_formatter(make_formatter(state_->format));
    file->set_level(spdlog::level::debug);
    file->flush_on(spdlog::level::debug);
    state* s = state_.get();
    // Called under the mutex, by the thread that logs.
    file->set_error_handler([s](const std::string& message) {
      if (s->trouble.empty()) {
        s->trouble = message;
      }
    });
    state_->file = std::move(file);
    for (const auto& [level, line] : state_->early) {
      state_->file->log(level_of(level), spdlog::string_view_t(line));
    }
    state_->early.clear();
    state_->early_bytes = 0;
    return {};
  } catch (const std::exception& e) {
    return fail(error_kind::denied, "the log file {} cannot be written: {}", in_quotes(path), e.what());
  }
}

void log::set_run(const run_id& run) {
  const std::lock_guard lock(state_->mutex);
  state_->run_text = run.text();
}

void log::write(log_level level, const log_place& place, std::string_view text) {
  const std::lock_guard lock(state_->mutex);
  const std::string line = state_->payload(place, text);
  state_->shown->log(level_of(level), spdlog::string_view_t(line));
  state_->to_file(level, line);
}

void log::write_file_only(log_level level, std::string_view text) {
  const std::lock_guard lock(state_->mutex);
  state_->to_file(level, state_->payload({}, text));
}

std::string log::file_trouble() const {
  const std::lock_guard lock(state_->mutex);
  return state_->trouble;
}

}  // namespace sluice
