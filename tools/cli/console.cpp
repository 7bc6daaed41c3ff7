#include "tools/cli/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

namespace sluice {
namespace {

unsigned columns_of(int fd) {
  winsize size{};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

bool begins_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

}  // namespace

std::string cut_to_columns(std::string_view line, unsigned columns) {
  std::size_t characters = 0;
  std::size_t end_if_cut = 0;  // Behind the last character that leaves room for the `…`.
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (!begins_character(line[at])) {
      continue;
    }
    ++characters;
    if (characters == columns) {
      end_if_cut = at;
    }
  }
  if (characters <= columns) {
    return std::string(line);
  }
  return std::string(line.substr(0, end_if_cut)) + (columns > 0 ? "…" : "");
}

console::~console() {
  if (live_lines_drawn_ > 0) {
    clear_live();
  }
}

std::string console::erase_sequence() const {
  // Up to the area's first line, then erase to the end of the screen (ECMA-48 CPL and ED).
  return live_lines_drawn_ == 0 ? "" : "\x1b[" + std::to_string(live_lines_drawn_) + "F\x1b[J";
}

unsigned console::columns() const {
  return columns_ > 0 ? columns_ : columns_of(fd_);
}

std::string console::live_text() {
  std::string text;
  for (const std::string& line : live_) {
    // One column stays free: some terminals wrap after the last one.
    text += cut_to_columns(line, columns() - 1) + "\n";
  }
  live_lines_drawn_ = live_.size();
  return text;
}

void console::print(std::string_view text) {
  const std::lock_guard lock(mutex_);
  std::string out = erase_sequence();
  out += text;
  out += live_text();
  write_out(out);
}

void console::show_live(std::vector<std::string> lines) {
  if (!is_terminal_) {
    return;
  }
  const std::lock_guard lock(mutex_);
  std::string out = erase_sequence();
  live_ = std::move(lines);
  out += live_text();
  write_out(out);
}

void console::write_out(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t n = ::write(fd_, text.data(), text.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      return;
    }
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace sluice
