#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Standard error as one place where lines scroll by and, on a terminal, a live area is redrawn in place
/// below them. One write a call, so that lines and area never mix. Thread-safe. Does not own the descriptor;
/// errors of writing are ignored, because a run goes on without its audience.
class console {
 public:
  /// `columns` is the width lines of the live area are cut to; 0 asks the terminal at each draw.
  explicit console(int fd, bool is_terminal, unsigned columns = 0)
      : fd_(fd), is_terminal_(is_terminal), columns_(columns) {}
  /// Takes the live area away.
  ~console();
  console(const console&) = delete;
  console& operator=(const console&) = delete;

  [[nodiscard]] bool is_terminal() const { return is_terminal_; }
  /// The width lines of the live area have now.
  [[nodiscard]] unsigned columns() const;

  /// Prints text that ends with a line end, above the live area.
  void print(std::string_view text);
  /// Replaces the live area. Without a terminal nothing happens.
  void show_live(std::vector<std::string> lines);
  void clear_live() { show_live({}); }

 private:
  [[nodiscard]] std::string erase_sequence() const;
  [[nodiscard]] std::string live_text();
  void write_out(std::string_view text) const;

  int fd_;
  bool is_terminal_;
  unsigned columns_;
  std::mutex mutex_;
  std::vector<std::string> live_;
  std::size_t live_lines_drawn_ = 0;
};

/// `line` cut to `columns` characters; a cut one ends with `…`. Counts code points, so that UTF-8 stays
/// whole.
std::string cut_to_columns(std::string_view line, unsigned columns);

}  // namespace sluice
