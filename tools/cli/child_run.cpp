#include "tools/cli/child_run.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace sluice {
namespace {

constexpr std::size_t line_bytes_max = std::size_t{64} << 10;
/// A summary has at most 10,000 splits of some hundred bytes.
constexpr std::size_t summary_bytes_max = std::size_t{64} << 20;

struct pipe_ends {
  int read = -1;
  int write = -1;
};

result<pipe_ends> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return fail(error_kind::no_room, "no pipe for a run's process: {}", std::strerror(errno));
  }
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return pipe_ends{ends[0], ends[1]};
}

void close_both(const pipe_ends& p) {
  ::close(p.read);
  ::close(p.write);
}

/// Appends what is there; false once the other side is closed.
bool read_into(std::string& text, int fd, std::size_t bytes_max) {
  char block[16384];
  while (true) {
    const ssize_t n = ::read(fd, block, sizeof block);
    if (n > 0) {
      text.append(block, std::min(static_cast<std::size_t>(n), bytes_max - std::min(bytes_max, text.size())));
      return true;
    }
    if (n < 0 && errno == EINTR) {
      continue;
    }
    return n < 0 && errno == EAGAIN;
  }
}

[[noreturn]] void be_child(const program& parts, const std::function<int(const program&)>& body, pid_t parent,
                           const pipe_ends& lines, const pipe_ends& summary) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) {
    ::_exit(exit_stopped);  // It died before it could be watched.
  }
  // Signals that ask for a stop stay blocked until the run watches them; nobody here waits for children.
  sigset_t child_ended;
  sigemptyset(&child_ended);
  sigaddset(&child_ended, SIGCHLD);
  ::sigprocmask(SIG_UNBLOCK, &child_ended, nullptr);
  ::close(lines.read);
  ::close(summary.read);
  // Libraries that complain do so on descriptor 2; a program started by the run finds an empty input.
  ::dup2(lines.write, STDERR_FILENO);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing >= 0) {
    ::dup2(nothing, STDIN_FILENO);
  }
  program mine = parts;
  mine.err_fd = lines.write;
  mine.out_fd = summary.write;
  mine.err_is_terminal = false;
  const int code = body(mine);
  std::fflush(nullptr);
  ::_exit(code);
}

}  // namespace

result<std::unique_ptr<child_run>> child_run::start(const program& parts,
                                                    const std::function<int(const program&)>& body) {
  SLUICE_TRY(const pipe_ends lines, make_pipe());
  auto summary = make_pipe();
  if (!summary) {
    close_both(lines);
    return tl::unexpected(summary.error());
  }
  std::fflush(nullptr);  // What is buffered must not be printed twice.
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    be_child(parts, body, parent, lines, *summary);
  }
  const int problem = errno;
  ::close(lines.write);
  ::close(summary->write);
  if (pid < 0) {
    ::close(lines.read);
    ::close(summary->read);
    return fail(error_kind::no_room, "no process for a run: {}", std::strerror(problem));
  }
  ::setpgid(pid, pid);  // Whoever is first.
  return std::unique_ptr<child_run>(new child_run(pid, lines.read, summary->read));
}

child_run::~child_run() {
  if (!ended()) {
    ::kill(pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  for (const int fd : {lines_fd_, summary_fd_}) {
    if (fd >= 0) {
      ::close(fd);
    }
  }
}

std::vector<std::string> child_run::cut_lines() {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (std::size_t end = text_.find('\n'); end != std::string::npos; end = text_.find('\n', begin)) {
    lines.push_back(text_.substr(begin, end - begin));
    begin = end + 1;
  }
  text_.erase(0, begin);
  if (text_.size() > line_bytes_max) {
    lines.push_back(std::move(text_));
    text_.clear();
  }
  return lines;
}

std::vector<std::string> child_run::read_lines() {
  if (lines_fd_ >= 0 && !read_into(text_, lines_fd_, 2 * line_bytes_max)) {
    ::close(lines_fd_);
    lines_fd_ = -1;
  }
  return cut_lines();
}

void child_run::read_summary() {
  if (summary_fd_ >= 0 && !read_into(summary_, summary_fd_, summary_bytes_max)) {
    ::close(summary_fd_);
    summary_fd_ = -1;
  }
}

std::vector<std::string> child_run::drain() {
  std::vector<std::string> lines;
  // Somebody the run left behind may hold the pipes open: what is in them now is all.
  for (std::string::size_type before = 1; lines_fd_ >= 0 && before > 0;) {
    const std::size_t had = text_.size();
    if (!read_into(text_, lines_fd_, 2 * line_bytes_max)) {
      break;
    }
    before = text_.size() - had;
    for (std::string& line : cut_lines()) {
      lines.push_back(std::move(line));
    }
  }
  for (std::size_t had = summary_.size() + 1; summary_fd_ >= 0 && had != summary_.size();) {
    had = summary_.size();
    read_summary();
  }
  if (!text_.empty()) {
    lines.push_back(std::move(text_));
    text_.clear();
  }
  return lines;
}

void child_run::signal(int number) const {
  if (!status_) {
    ::kill(pid_, number);
  }
}

std::optional<int> child_run::ended() {
  int status = 0;
  if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
    status_ = status;
  }
  return status_;
}

}  // namespace sluice
