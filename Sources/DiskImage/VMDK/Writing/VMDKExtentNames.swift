// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// What a VMDK image's extent files are called: as qemu and VMware call them.
enum VMDKExtentNames {
    /// The name of extent `number`, from 1, of the image `name`: `disk-flat.vmdk`, `disk-f001.vmdk`, `disk-s001.vmdk`. What follows
    /// the last dot stays at the end.
    static func name(_ number: Int, of name: String, _ subformat: VMDKSubformat) -> String {
        let bytes = name.utf8
        let dot = bytes.lastIndex(of: UInt8(ascii: ".")) ?? bytes.endIndex
        let stem = String(name.unicodeScalars[..<dot])
        let ending = String(name.unicodeScalars[dot...])
        guard subformat.isSplit else { return "\(stem)-flat\(ending)" }
        let digits = String(number)
        let padding = String(repeating: "0", count: max(0, 3 - digits.utf8.count))
        return "\(stem)-\(subformat.isFlat ? "f" : "s")\(padding)\(digits)\(ending)"
    }

    /// What a descriptor calls the file `name` beside it: readers would take what is before a colon for a protocol, but not behind `./`.
    static func reference(_ name: String) -> String {
        name.utf8.contains(UInt8(ascii: ":")) ? "./" + name : name
    }
}
