#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "plugins/text/input_stream.h"
#include "transport/base/result.h"

namespace sluice {

/// How text in an encoding is read.
enum class charset_handling {
  as_it_is,  ///< UTF-8, and ASCII as a part of it: bytes are validated, nothing is decoded.
  by_field,  ///< Every byte below 0x80 that stands alone is ASCII: structure is found in the bytes, fields
             ///< are decoded.
  whole,  ///< Anything else (UTF-16, UTF-32, EBCDIC, ISO-2022): the file is decoded before it is looked at.
};

/// An encoding by its name (IANA, Java or Windows names; ICU knows them). Immutable but for the converter
/// inside: used by one thread. The only file that knows ICU's converters.
class charset_decoder {
 public:
  /// `bad_option` where no encoding has the name. The message does not name the option: the caller does.
  static result<charset_decoder> find(const std::string& name);

  charset_decoder(charset_decoder&&) noexcept;
  charset_decoder& operator=(charset_decoder&&) noexcept;
  ~charset_decoder();

  [[nodiscard]] charset_handling handling() const { return handling_; }
  /// Only where `by_field`: bytes that begin a character of more than one byte whose others may look like
  /// ASCII. All false where there are none such.
  [[nodiscard]] const std::array<bool, 256>& lead_bytes() const { return lead_bytes_; }

  /// Decodes a whole text into UTF-8. False where it is not text in the encoding; `to` is then unspecified.
  bool decode(std::string_view bytes, std::string& to);

  /// The UTF-8 of a whole stream. Where bytes are not text in the encoding the byte 0xFF stands for them,
  /// which is nowhere in UTF-8: the record that holds it is refused like any invalid one.
  static std::unique_ptr<input_stream> decoding_stream(charset_decoder decoder,
                                                       std::unique_ptr<input_stream> bytes);

 private:
  friend class decoding_input;
  struct converter;
  charset_decoder(std::unique_ptr<converter> c, charset_handling handling);

  std::unique_ptr<converter> converter_;
  charset_handling handling_;
  std::array<bool, 256> lead_bytes_{};
};

}  // namespace sluice
