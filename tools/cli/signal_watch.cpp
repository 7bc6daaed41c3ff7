#include "tools/cli/signal_watch.h"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace sluice {
namespace {

bool ignored_at_start(int number) {
  struct sigaction action {};
  return ::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    if (!ignored_at_start(number)) {
      sigaddset(&set, number);
    }
  }
  return set;
}

const char* signal_name(std::uint32_t number) {
  switch (number) {
    case SIGINT:
      return "SIGINT";
    case SIGTERM:
      return "SIGTERM";
    default:
      return "SIGHUP";
  }
}

void ignore_signals_of_writes() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

result<std::unique_ptr<signal_watch>> signal_watch::begin(stop_source stop, stop_source stop_now,
                                                          std::function<void(const char*, bool)> told,
                                                          std::function<void()> exit_now,
                                                          std::chrono::milliseconds grace) {
  ignore_signals_of_writes();
  const sigset_t set = stop_signals();
  if (const int problem = ::pthread_sigmask(SIG_BLOCK, &set, nullptr); problem != 0) {
    return fail(error_kind::internal, "signals cannot be blocked: {}", std::strerror(problem));
  }
  const int fd = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) {
    return fail(error_kind::internal, "signals cannot be watched: {}", std::strerror(errno));
  }
  std::unique_ptr<signal_watch> made(new signal_watch(fd));
  made->thread_ = std::thread([self = made.get(), stop = std::move(stop), stop_now = std::move(stop_now),
                               told = std::move(told), exit_now = std::move(exit_now),
                               grace] { self->watch(stop, stop_now, told, exit_now, grace); });
  return made;
}

signal_watch::~signal_watch() {
  ended_.fire();
  thread_.join();
  ::close(signal_fd_);
}

void signal_watch::watch(const stop_source& stop, const stop_source& stop_now,
                         const std::function<void(const char*, bool)>& told,
                         const std::function<void()>& exit_now, std::chrono::milliseconds grace) {
  using clock = std::chrono::steady_clock;
  const stop_signal ended = ended_.signal();
  while (!ended.fired()) {
    if (!wait(signal_fd_, wait_for::readable, clock::now() + std::chrono::hours(1), ended)) {
      continue;  // The end, or an hour without a signal.
    }
    signalfd_siginfo info{};
    if (::read(signal_fd_, &info, sizeof info) != sizeof info) {
      continue;
    }
    const bool first = !stopped_.exchange(true);
    told(signal_name(info.ssi_signo), first);
    if (first) {
      stop.fire();
      continue;
    }
    stop_now.fire();
    if (wait(-1, wait_for::readable, clock::now() + grace, ended)) {
      exit_now();
    }
    return;
  }
}

}  // namespace sluice
