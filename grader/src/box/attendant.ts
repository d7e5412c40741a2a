import { ARCHIVE_BLOCKS } from "./output-reader.ts";

/** Before the attendant, where descriptor 3 is a socket, which carries both ways. */
export const ONE_SOCKET = "exec 5>&3\n";

/**
 * The first program of a box, in the language of /bin/sh: starts the program, and sends the files that it
 * left in /out when the grader asks for them, on descriptor 3. It answers on descriptor 4, which the program
 * does not have. It runs in the box with the program's rights and is not trusted: a program that takes it
 * over can only spoil its own output and choose its own exit code.
 *
 * Two shells read requests: one while the program runs, and then the first process. When the program has
 * exited, the first process says so on descriptor 5, and the grader asks the other shell to leave: it then
 * answers what it was asked before, and is not killed in the middle of an archive.
 */
export const ATTENDANT = `
has_files() { for file in /out/* /out/.[!.]* /out/..?*; do [ -e "$file" ] || [ -L "$file" ] && return 0; done; return 1; }
serve() {
  while read -r request <&3; do
    case $request in
      collect)
        if has_files; then
          echo files >&4
          tar --format=ustar --hard-dereference -b${ARCHIVE_BLOCKS} -C /out -cf - . >&4
          find /out -mindepth 1 -delete
        fi
        echo collected >&4 ;;
      clear)
        if has_files; then find /out -mindepth 1 -delete; fi
        echo cleared >&4 ;;
      leave) [ "$1" = first ] && return ;;
    esac
  done
}
exec 8>&2 2>/dev/null
echo started >&4
serve first </dev/null >/dev/null &
trap : INT
"$@" 3<&- 4>&- 5>&- 2>&8 8>&-
status=$?
exec </dev/null >/dev/null 8>&-
echo leaving >&5
wait $!
kill -9 -1
if [ $status != 0 ]; then
  for free in $(stat -f -c %a /tmp /out); do [ $free = 0 ] && echo full >&4; done
fi
echo "exit $status" >&4
serve last
`;
