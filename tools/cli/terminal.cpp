#include "tools/cli/terminal.h"

#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "tools/cli/program.h"

namespace sluice {
namespace {

constexpr char ctrl_c = 3;
constexpr char ctrl_d = 4;

/// Turns echo off for its scope. Ctrl-C comes as a character then, so that the scope always ends.
class no_echo {
 public:
  explicit no_echo(int fd) : fd_(fd), changed_(::tcgetattr(fd, &before_) == 0) {
    if (changed_) {
      termios silent = before_;
      silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
      ::tcsetattr(fd, TCSAFLUSH, &silent);
    }
  }
  no_echo(const no_echo&) = delete;
  no_echo& operator=(const no_echo&) = delete;
  ~no_echo() {
    if (changed_) {
      ::tcsetattr(fd_, TCSADRAIN, &before_);
    }
  }

 private:
  int fd_;
  termios before_{};
  bool changed_;
};

}  // namespace

std::optional<std::string> terminal::read_line() const {
  std::string line;
  // Never moved by growing: a secret would stay behind in freed memory.
  line.reserve(4096);
  while (true) {
    char c = 0;
    const ssize_t n = ::read(in_fd_, &c, 1);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0 || c == ctrl_c || (c == ctrl_d && line.empty())) {
      return std::nullopt;
    }
    if (c == '\n') {
      return line;
    }
    if (c != '\r') {
      line += c;
    }
  }
}

std::optional<std::string> terminal::ask(const std::string& question) {
  write_out(out_fd_, question);
  return read_line();
}

std::optional<secret> terminal::ask_hidden(const std::string& question) {
  std::optional<std::string> line;
  {
    // Before the question: what is typed ahead is not shown either.
    const no_echo silent(in_fd_);
    write_out(out_fd_, question);
    line = read_line();
  }
  write_out(out_fd_, "\n");
  if (!line) {
    return std::nullopt;
  }
  std::optional<secret> answer(std::in_place, *line);
  std::fill(line->begin(), line->end(), '\0');
  return answer;
}

}  // namespace sluice
