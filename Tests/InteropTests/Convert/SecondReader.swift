// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// A reader of qcow2 images that shares nothing with ours: deflate by Python's zlib, zstd by its command.
enum SecondReader {
    /// Prints the SHA-256 of an image's content (without a backing image), and how many clusters are compressed, stored as they are, and not there.
    static let script = #"""
        import hashlib, struct, subprocess, sys, zlib
        with open(sys.argv[1], "rb") as file: data = file.read()
        bits, size = struct.unpack_from(">IQ", data, 20)
        l1 = struct.unpack_from(">Q", data, 40)[0]
        features = struct.unpack_from(">Q", data, 72)[0] if data[7] > 2 else 0
        is_zstd, width = features & 8 and data[104] == 1, 16 if features & 16 else 8
        cluster, table = 1 << bits, (1 << bits) // width

        def frame(at):
            "The length of the zstd frame there (RFC 8878, 3.1.1)."
            kind = data[at + 4]
            end = at + 5 + (not kind & 32) + [0, 1, 2, 4][kind & 3] + [kind >> 5 & 1, 2, 4, 8][kind >> 6]
            last = False
            while not last:
                head = int.from_bytes(data[end:end + 3], "little")
                last, end = head & 1, end + 3 + (1 if head >> 1 & 3 == 1 else head >> 3)
            return end + (4 if kind & 4 else 0) - at

        disk, frames, counts = [], [], {"compressed": 0, "plain": 0, "none": 0}
        for index in range((size + cluster - 1) // cluster):
            place = struct.unpack_from(">Q", data, l1 + index // table * 8)[0] & (1 << 56) - 512
            entry = struct.unpack_from(">Q", data, place + index % table * width)[0] if place else 0
            if entry >> 62 & 1:
                at = entry & (1 << 70 - bits) - 1
                sectors = (entry >> 70 - bits & (1 << bits - 8) - 1) + 1
                stream = data[at:at + sectors * 512 - at % 512]
                if is_zstd:
                    length = frame(at)
                    assert length <= len(stream), "a frame is longer than its sectors"
                    frames.append(data[at:at + length])
                else:
                    packer = zlib.decompressobj(-15)
                    disk.append(packer.decompress(stream))
                    assert packer.eof and len(disk[-1]) == cluster, "a stream is no cluster"
                if is_zstd: disk.append(None)
                counts["compressed"] += 1
            elif entry & (1 << 56) - 512 and not entry & 1:
                disk.append(data[entry & (1 << 56) - 512:][:cluster])
                counts["plain"] += 1
            else:
                disk.append(bytes(cluster))
                counts["none"] += 1
        if frames:
            plain = subprocess.run(["zstd", "-dcq"], input=b"".join(frames), stdout=-1, check=True).stdout
            assert len(plain) == len(frames) * cluster, "a frame is no cluster"
            pieces = (plain[at:at + cluster] for at in range(0, len(plain), cluster))
            disk = [next(pieces) if part is None else part for part in disk]
        print(hashlib.sha256(b"".join(disk)[:size]).hexdigest(), *counts.values())
        """#
}
