#!/bin/sh
# Compiles through ccache: compile.sh ROOT COMPILER ARGUMENT... CMake calls it (CMakeLists.txt). What one clone of this tree has
# compiled serves all others, wherever they lie: places in the tree are taken as relative. A precompiled header of clang holds the
# tree's place and serves its own clone only; for what is compiled with it, it is told apart by the headers it was made of.
root=$1
shift
export CCACHE_PCH_EXTSUM=1 CCACHE_SLOPPINESS=pch_defines,time_macros
case " $* " in
  *" -o "*.pch" -c "*)
    ccache "$@" || exit
    while [ "$1" != -o ]; do shift; done
    # The names of the headers: all of the .d file but the target before the colon and the ends of its lines.
    sed -e 's/^[^ :]*://' -e 's/\\$//' "$2.d" | xargs cat | sha256sum >"$2.sum"
    ;;
  *)
    # ccache leaves the second path of "-Xclang -include -Xclang PATH" absolute.
    for argument; do
      shift
      set -- "$@" "${argument#"$PWD/"}"
    done
    CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1 exec ccache "$@"
    ;;
esac
