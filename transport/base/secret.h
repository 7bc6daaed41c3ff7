#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "transport/base/result.h"

namespace sluice {

/// A password, token or key in clear. It cannot be shown by accident: there is no formatter, no stream
/// operator, no conversion to text and no comparison with one. Its bytes lie outside the object and are
/// overwritten when it goes. Keep it for as long as the call of the client library that needs it, not longer.
class secret {
 public:
  secret() = default;
  explicit secret(std::string_view text);
  secret(secret&& other) noexcept;
  secret& operator=(secret&& other) noexcept;
  secret(const secret&) = delete;
  secret& operator=(const secret&) = delete;
  ~secret();

  /// The text itself, for a client library and for the filter that takes it out of messages. Must not go
  /// anywhere else.
  [[nodiscard]] std::string_view reveal() const { return {bytes_.get(), size_}; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  bool operator==(const secret&) const = delete;

 private:
  void wipe();
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
};

/// Where a part of a secret comes from.
enum class secret_origin { plain, env, file, cmd };

/// One part of a secret as it is written: text, or one reference.
struct secret_part {
  secret_origin origin = secret_origin::plain;
  std::string text;  ///< Clear text; the variable's name; the file's path; the command.
};

/// A secret as it is written in a job or in the registry of data sources: clear text, or text with the
/// references `${env:NAME}`, `${file:PATH}` and `${cmd:COMMAND}` in it, which are looked up each time a
/// connection is opened. A brace inside a command must have its partner. `$${env:` is the text `${env:`.
/// Immutable; copies share their text. As hard to show as a `secret`.
class secret_text {
 public:
  secret_text() = default;
  /// Takes `written` apart; `bad_option` with the reference where one has no closing brace or is empty.
  /// `place` begins the messages about it (`orders.json:14:22 steps[0].parameter.password`); relative paths
  /// of files are looked up from `folder`, the process's own where it is empty.
  static result<secret_text> parse(std::string_view written, std::string place, std::string folder = {});

  [[nodiscard]] const std::vector<secret_part>& parts() const;
  [[nodiscard]] const std::string& place() const { return place_; }
  [[nodiscard]] const std::string& folder() const { return folder_; }
  /// Whether clear text stands there: all of it, or around references.
  [[nodiscard]] bool has_plain() const;
  /// `${env:NAME}` for what is one reference, `***` for clear text and mixtures.
  [[nodiscard]] std::string shown() const;

  bool operator==(const secret_text&) const = delete;

 private:
  struct contents;
  std::shared_ptr<const contents> contents_;
  std::string place_;
  std::string folder_;
};

/// The reference as messages name it. Of a command only the first word, because people put tokens behind it:
/// `${cmd:vault …}`.
std::string shown_reference(const secret_part& part);

/// The position behind the reference to a secret that begins at `text[dollar]`; npos where none begins there.
/// One without a closing brace reaches to the end. An escaped one (`$${env:`) counts with both dollar signs.
std::size_t secret_reference_end(std::string_view text, std::size_t dollar);

/// Whether a reference to a secret stands anywhere in `text`.
bool has_secret_reference(std::string_view text);

}  // namespace sluice
