#pragma once

#include <clocale>

namespace sluice {

/// While it lives, glob(3) and fnmatch(3) of this thread take names for UTF-8, whatever the process's locale
/// is: `?` and `[ä]` meet one character and not one byte. A name that is no UTF-8 is matched by its bytes.
/// (glibc tries the bytes, too, where the characters do not match: `??` still meets a letter of two bytes.)
/// On the stack of one thread.
class utf8_names {
 public:
  utf8_names();
  ~utf8_names();
  utf8_names(const utf8_names&) = delete;
  utf8_names& operator=(const utf8_names&) = delete;

 private:
  locale_t utf8_;  ///< Null where the system has no such locale: then nothing changes.
  locale_t before_;
};

}  // namespace sluice
