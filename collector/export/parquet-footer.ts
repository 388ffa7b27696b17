/**
 * The end of a Parquet file, which says of each column of each row group where it lies: it grows with the file. So a row group
 * is held as the bytes that it will be there, 1.5 KB for events; as objects it would be tens of times that.
 */
import { ByteWriter, type ParquetWriter, type SchemaElement } from 'hyparquet-writer'
import { writeMetadata } from 'hyparquet-writer/src/metadata.js'

type RowGroup = ParquetWriter['row_groups'][number]

export interface Footer {
  add(group: RowGroup): void
  /** Ends the file. */
  write(writer: ByteWriter): void
}

const MAGIC = Buffer.from('PAR1')
/** A list in the compact protocol of Thrift: how many, and that they are structs. From 15 on, how many comes after. */
const STRUCTS = 0xc
const MANY = 0xf
const NO_ROWS: RowGroup = { columns: [], total_byte_size: 0n, num_rows: 0n }

export function createFooter(schema: SchemaElement[]): Footer {
  const bytesOf = (rows: bigint, groups: RowGroup[]): Buffer => {
    const writer = new ByteWriter()
    const metadata = { version: 2, created_by: 'hyparquet', schema, num_rows: rows, row_groups: groups }
    writeMetadata(writer, { ...metadata, metadata_length: 0 })
    // Without its length, which comes last.
    return Buffer.from(writer.getBytes().subarray(0, -4))
  }
  /** What stands before and after the list of row groups: with one in it, the first byte that is another is how many there are. */
  const around = (rows: bigint): { before: Buffer; after: Buffer } => {
    const none = bytesOf(rows, [])
    const one = bytesOf(rows, [NO_ROWS])
    const place = none.findIndex((byte, i) => byte !== one[i])
    return { before: none.subarray(0, place), after: none.subarray(place + 1) }
  }
  const empty = around(0n)
  const groups: Buffer[] = []
  let rows = 0n
  return {
    add(group) {
      rows += group.num_rows
      const bytes = bytesOf(0n, [group])
      groups.push(Buffer.from(bytes.subarray(empty.before.length + 1, bytes.length - empty.after.length)))
    },
    write(writer) {
      const start = writer.offset
      const { before, after } = around(rows)
      writer.appendBytes(before)
      if (groups.length < MANY) writer.appendUint8((groups.length << 4) | STRUCTS)
      else {
        writer.appendUint8((MANY << 4) | STRUCTS)
        writer.appendVarInt(groups.length)
      }
      for (const group of groups) writer.appendBytes(group)
      writer.appendBytes(after)
      writer.appendUint32(writer.offset - start)
      writer.appendBytes(MAGIC)
    },
  }
}
