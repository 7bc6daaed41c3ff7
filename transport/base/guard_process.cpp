#include "transport/base/guard_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "transport/base/packed_texts.h"

namespace sluice {
namespace {

/// A guard that has nothing to do ends in far less.
constexpr int end_wait_ms = 1000;

/// Where the guard has its socket, with nothing above it.
constexpr int socket_place = 3;

// A message: what it is, the number, the owner, the place, the thing. One packet of the socket each.
constexpr std::string_view leaves = "leave";
constexpr std::string_view takes_back = "take back";
constexpr std::size_t message_parts = 5;

struct left_thing {
  std::string owner;
  std::string place;
  std::string thing;
};
using left_things = std::map<std::string, left_thing, std::less<>>;
using duties_by_owner = std::map<std::string, guard_process::duty, std::less<>>;

/// What `ps` shows lies where the arguments were.
void name_it(pid_t guarded) {
  ::prctl(PR_SET_NAME, "job-guard");
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string arguments{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  char* const shown = program_invocation_name;
  if (arguments.empty() || std::memcmp(shown, arguments.data(), arguments.size()) != 0) {
    return;
  }
  std::string name = fmt::format("job-guard {}", guarded);
  name.resize(arguments.size());
  name.back() = '\0';
  std::memcpy(shown, name.data(), name.size());
}

void leave_all_behind(int socket) {
  ::setsid();
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) {
    std::signal(number, SIG_IGN);
  }
  if (socket != socket_place) {
    ::dup2(socket, socket_place);
  }
  const int nothing = ::open("/dev/null", O_RDWR);
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    ::dup2(nothing, standard);
  }
  ::closefrom(socket_place + 1);
}

/// Returns when the guarded process is gone.
left_things wait_for_end() {
  left_things left;
  const auto message = std::make_unique<char[]>(guard_message_bytes_max);
  for (;;) {
    const ssize_t n = ::recv(socket_place, message.get(), guard_message_bytes_max, 0);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      return left;
    }
    const auto parts = unpacked_texts({message.get(), static_cast<std::size_t>(n)}, message_parts);
    if (!parts) {
      continue;
    }
    const std::string number((*parts)[1]);
    if ((*parts)[0] == leaves) {
      left[number] = {std::string((*parts)[2]), std::string((*parts)[3]), std::string((*parts)[4])};
    } else {
      left.erase(number);
    }
  }
}

void do_duties(const duties_by_owner& duties, const left_things& left) {
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> places;
  for (const auto& [number, what] : left) {
    places[{what.owner, what.place}].push_back(what.thing);
  }
  // A place where nobody answers must not keep the others waiting.
  for (const auto& [place, things] : places) {
    const auto found = duties.find(place.first);
    if (found == duties.end()) {
      continue;
    }
    const pid_t child = ::fork();
    if (child > 0) {
      continue;
    }
    std::signal(SIGALRM, SIG_DFL);
    ::alarm(static_cast<unsigned>(guard_time.count()));
    found->second(place.second, things);
    if (child == 0) {
      ::_exit(0);
    }
  }
  while (::wait(nullptr) > 0 || errno == EINTR) {
  }
}

[[noreturn]] void be_guard(int socket, pid_t guarded, const duties_by_owner& duties) {
  try {
    leave_all_behind(socket);
    name_it(guarded);
    do_duties(duties, wait_for_end());
  } catch (...) {
    ::_exit(1);
  }
  ::_exit(0);
}

}  // namespace

result<std::shared_ptr<guard_process>> guard_process::begin(duties_by_owner duties) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return fail(error_kind::no_room, "no socket for the guard process: {}", std::strerror(errno));
  }
  const pid_t guarded = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    be_guard(ends[1], guarded, duties);
  }
  const int problem = errno;
  ::close(ends[1]);
  if (pid < 0) {
    ::close(ends[0]);
    return fail(error_kind::no_room, "no guard process: {}", std::strerror(problem));
  }
  return std::shared_ptr<guard_process>(new guard_process(ends[0], pid));
}

guard_process::~guard_process() {
  // What a call that did not return has left is the guard's from here on.
  ::shutdown(socket_, SHUT_WR);
  pollfd ended = {socket_, POLLIN, 0};
  if (left_.empty() && ::poll(&ended, 1, end_wait_ms) == 1) {
    // Its descriptors are closed: it is about to be gone.
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  ::close(socket_);
}

std::uint64_t guard_process::leave(std::string_view owner, std::string_view place, std::string_view thing) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t number = last_ + 1;
  std::string message = packed_texts({leaves, std::to_string(number), owner, place, thing});
  const bool told = message.size() <= guard_message_bytes_max &&
                    ::send(socket_, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
  ::explicit_bzero(message.data(), message.size());
  if (!told) {
    return 0;
  }
  last_ = number;
  left_.insert(number);
  return number;
}

void guard_process::take_back(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  if (left_.erase(number) == 0) {
    return;
  }
  const std::string message = packed_texts({takes_back, std::to_string(number), {}, {}, {}});
  (void)::send(socket_, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace sluice
