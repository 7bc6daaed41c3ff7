#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "transport/base/result.h"

struct UConverter;

namespace sluice {

/// Turns UTF-8 into another encoding, exactly or not at all. Keeps the state that an encoding may have (a
/// byte order mark at the start, shift sequences), so one is needed for each file. Used by one thread. Wraps
/// ICU.
class text_encoder {
 public:
  /// `bad_option` for a name that ICU does not know. Nothing (nullptr) for UTF-8, which needs no encoder.
  static result<std::unique_ptr<text_encoder>> make(const std::string& encoding);
  ~text_encoder();
  text_encoder(const text_encoder&) = delete;
  text_encoder& operator=(const text_encoder&) = delete;

  /// Appends well-formed `utf8` encoded to `to`. False, with `to` and the state as before, where a character
  /// is not in the encoding.
  bool append(std::string_view utf8, std::string& to);
  /// Begins a new file.
  void restart();
  /// Goes on in a file that has its beginning.
  void begin_behind_start();
  /// Whether nothing but a byte order mark at a file's start depends on what was encoded before, so that
  /// another encoder can go on in the middle.
  static bool is_stateless(const std::string& encoding);

 private:
  text_encoder(UConverter* out, UConverter* probe) : out_(out), probe_(probe) {}
  bool convert(UConverter* converter, std::string_view utf8, std::string& to);

  UConverter* out_;
  UConverter* probe_;  // Tries a text first, so that a refused one does not disturb the state of `out_`.
  std::string tried_;
  std::u16string utf16_;
};

}  // namespace sluice
