#include "transport/base/utf8_names.h"

namespace sluice {

utf8_names::utf8_names()
    // Part of glibc itself since 2.35; no package of locales is needed.
    : utf8_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)),
      before_(utf8_ != nullptr ? ::uselocale(utf8_) : nullptr) {}

utf8_names::~utf8_names() {
  if (utf8_ != nullptr) {
    ::uselocale(before_);
    ::freelocale(utf8_);
  }
}

}  // namespace sluice
